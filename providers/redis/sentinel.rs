//! Whom Sentinel names: the master, or another of its servers as the settings wish.

use std::collections::HashMap;
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use trafficcop_config::settings::stores::Sentinel;
use trafficcop_kv::StoreError;

use crate::connect::{Access, Address};
use crate::{events, node};

/// What the sentinels know.
struct Known {
    master: Address,
    replicas: Vec<Address>,
}

/// The server to ask.
pub(crate) async fn choose(access: &Access) -> Result<Address, StoreError> {
    let Some(settings) = access.sentinel() else { return Err(StoreError::lost("no sentinel is set")) };
    let Known { master, replicas } = ask(access, settings).await?;
    if settings.replica_strategy {
        return Ok(any(&replicas).unwrap_or(master));
    }
    let all: Vec<_> = [master.clone()].into_iter().chain(replicas).collect();
    if settings.random_strategy {
        return Ok(any(&all).unwrap_or(master));
    }
    if settings.latency_strategy {
        return Ok(nearest(access, all).await.unwrap_or(master));
    }
    Ok(master)
}

/// The server that takes changes.
pub(crate) async fn master(access: &Access) -> Result<Address, StoreError> {
    let Some(settings) = access.sentinel() else { return Err(StoreError::lost("no sentinel is set")) };
    Ok(ask(access, settings).await?.master)
}

/// Is this server, which was chosen before, still one that may be asked?
pub(crate) async fn is_good_enough(access: &Access, chosen: &Address) -> bool {
    let Some(settings) = access.sentinel() else { return false };
    // Sentinels that cannot be reached are no reason to leave a server that answers.
    let Ok(Known { master, replicas }) = ask(access, settings).await else { return true };
    let any_will_do = settings.replica_strategy || settings.random_strategy || settings.latency_strategy;
    *chosen == master || any_will_do && replicas.contains(chosen)
}

async fn ask(access: &Access, settings: &Sentinel) -> Result<Known, StoreError> {
    let mut failures = Vec::new();
    for endpoint in &access.endpoints {
        match ask_one(access, settings, endpoint).await {
            Ok(Some(known)) => return Ok(known),
            Ok(None) => {
                failures
                    .push(format!("{}:{} knows no master {:?}", endpoint.host, endpoint.port, settings.master_name));
            }
            Err(error) => failures.push(format!("{}:{}: {error}", endpoint.host, endpoint.port)),
        }
    }
    Err(StoreError::Lost(failures.join("; ")))
}

async fn ask_one(access: &Access, settings: &Sentinel, endpoint: &Address) -> RedisResult<Option<Known>> {
    let mut connection = access.connect_sentinel(endpoint).await?;
    let name = &settings.master_name;
    let master: Option<(String, u16)> =
        cmd("SENTINEL").arg("get-master-addr-by-name").arg(name).query_async(&mut connection).await?;
    let Some((host, port)) = master else { return Ok(None) };
    let replicas = replicas(&mut connection, settings).await.unwrap_or_default();
    Ok(Some(Known { master: Address { host, port }, replicas }))
}

async fn replicas(connection: &mut MultiplexedConnection, settings: &Sentinel) -> RedisResult<Vec<Address>> {
    let all: Vec<HashMap<String, String>> =
        cmd("SENTINEL").arg("replicas").arg(&settings.master_name).query_async(connection).await?;
    let usable = |replica: &HashMap<String, String>| {
        let flags = replica.get("flags").map_or("", String::as_str);
        let is_away = flags.contains("s_down") || flags.contains("o_down");
        let is_cut_off =
            flags.contains("disconnected") || replica.get("master-link-status").is_some_and(|status| status != "ok");
        !is_away && (settings.use_disconnected_replicas || !is_cut_off)
    };
    let address = |replica: &HashMap<String, String>| {
        Some(Address { host: replica.get("ip")?.clone(), port: replica.get("port")?.parse().ok()? })
    };
    Ok(all.iter().filter(|replica| usable(replica)).filter_map(address).collect())
}

fn any(addresses: &[Address]) -> Option<Address> {
    let chance: f64 = rand::random();
    addresses.get((chance * addresses.len() as f64) as usize).cloned()
}

/// The one that answers fastest.
async fn nearest(access: &Access, addresses: Vec<Address>) -> Option<Address> {
    let mut best = None;
    for address in addresses {
        let (sender, _events) = events::channel();
        let Ok(mut node) = node::Node::connect(access, &address, 0, sender).await else { continue };
        let asked = Instant::now();
        if node.ping().await.is_ok() && best.as_ref().is_none_or(|(fastest, _)| asked.elapsed() < *fastest) {
            best = Some((asked.elapsed(), address));
        }
    }
    best.map(|(_, address)| address)
}
