//! Changes of single keys, for what instances share.

use etcd_client::{Client, Compare, CompareOp, ConnectOptions, Txn, TxnOp, TxnOpResponse};
use tokio::sync::Mutex;
use trafficcop_kv::{StoreError, Swapped, Swapping, Writer as Writes};

use crate::{CONNECT, within};

pub(crate) struct Writer {
    pub(crate) endpoints: Vec<String>,
    pub(crate) options: ConnectOptions,
    pub(crate) client: Mutex<Option<Client>>,
}

impl Writer {
    async fn change(&self, key: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<Swapped, StoreError> {
        let mut client = {
            let mut open = self.client.lock().await;
            if let Some(client) = &*open {
                client.clone()
            } else {
                let connecting = Client::connect(&self.endpoints, Some(self.options.clone()));
                open.insert(within(CONNECT * 2, connecting).await?).clone()
            }
        };
        let is_there = match old {
            Some(old) => Compare::value(key, CompareOp::Equal, old),
            None => Compare::version(key, CompareOp::Equal, 0),
        };
        let then = match new {
            Some(new) => TxnOp::put(key, new, None),
            None => TxnOp::delete(key, None),
        };
        let change = Txn::new().when([is_there]).and_then([then]).or_else([TxnOp::get(key, None)]);
        let answer = within(CONNECT * 2, client.txn(change)).await?;
        if answer.succeeded() {
            return Ok(Swapped::Done);
        }
        let found = answer.op_responses().into_iter().find_map(|one| match one {
            TxnOpResponse::Get(mut got) => got.take_kvs().pop().map(|pair| pair.into_key_value().1),
            _ => None,
        });
        Ok(Swapped::Found(found))
    }
}

impl Writes for Writer {
    fn swap<'a>(&'a self, key: &'a str, old: Option<&'a [u8]>, new: Option<&'a [u8]>) -> Swapping<'a> {
        Box::pin(self.change(key, old, new))
    }
}
