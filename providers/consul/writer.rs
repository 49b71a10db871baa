//! Changes of single keys, for what instances share.

use trafficcop_kv::{StoreError, Swapped, Swapping, Writer as Writes};
use trafficcop_remote::RemoteError;
use trafficcop_remote::consul::{Answer, Server};

use crate::{Shown, value};

pub(crate) struct Writer(pub(crate) Server);

impl Writer {
    async fn change(&self, key: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<Swapped, StoreError> {
        let path = format!("/v1/kv/{key}");
        // What was read must be the newest: the leader asks the others whether it still leads.
        let answer: Result<Answer<Vec<Shown>>, _> = self.0.ask(&path, &[("consistent", "")], None).await;
        let shown = answer.map_err(lost)?.value.and_then(|mut all| all.pop());
        let index = shown.as_ref().map_or(0, |shown| shown.modify_index);
        let found = shown.map(value).transpose()?;
        if found.as_deref() != old {
            return Ok(Swapped::Found(found));
        }
        if old.is_none() && new.is_none() || self.0.swap(&path, index, new.map(<[u8]>::to_vec)).await.map_err(lost)? {
            return Ok(Swapped::Done);
        }
        // Somebody was faster; what they put is seen by whoever asks again.
        let answer: Result<Answer<Vec<Shown>>, _> = self.0.ask(&path, &[("consistent", "")], None).await;
        let shown = answer.map_err(lost)?.value.and_then(|mut all| all.pop());
        Ok(Swapped::Found(shown.map(value).transpose()?))
    }
}

fn lost(error: RemoteError) -> StoreError {
    StoreError::lost(error)
}

impl Writes for Writer {
    fn swap<'a>(&'a self, key: &'a str, old: Option<&'a [u8]>, new: Option<&'a [u8]>) -> Swapping<'a> {
        Box::pin(self.change(key, old, new))
    }
}
