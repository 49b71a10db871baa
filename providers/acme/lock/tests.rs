use std::collections::BTreeMap;

use tokio::sync::watch;
use trafficcop_kv::{Change, Pairs, Store, StoreError, Swapping, Writer};

use super::*;

/// A store in memory.
#[derive(Clone)]
struct Memory(Arc<watch::Sender<BTreeMap<String, Vec<u8>>>>);

struct Reader(watch::Receiver<BTreeMap<String, Vec<u8>>>);

impl Store for Reader {
    const NAME: &'static str = "memory";

    async fn open(&mut self) -> Result<Pairs, StoreError> {
        let mut pairs = Pairs::default();
        for (key, value) in &*self.0.borrow_and_update() {
            pairs.put(key.clone(), value.clone())?;
        }
        Ok(pairs)
    }

    async fn next(&mut self) -> Result<Change, StoreError> {
        self.0.changed().await.map_err(StoreError::lost)?;
        self.open().await.map(Change::Whole)
    }
}

impl Writer for Memory {
    fn swap<'a>(&'a self, key: &'a str, old: Option<&'a [u8]>, new: Option<&'a [u8]>) -> Swapping<'a> {
        let mut swapped = Swapped::Done;
        self.0.send_modify(|map| {
            if map.get(key).map(Vec::as_slice) == old {
                match new {
                    Some(new) => drop(map.insert(key.to_owned(), new.to_vec())),
                    None => drop(map.remove(key)),
                }
            } else {
                swapped = Swapped::Found(map.get(key).cloned());
            }
        });
        Box::pin(std::future::ready(Ok(swapped)))
    }
}

fn memory() -> Memory {
    Memory(Arc::new(watch::Sender::default()))
}

async fn instance(memory: &Memory) -> Locks {
    let mut shared = Shared::follow("memory", "t-acme", Reader(memory.0.subscribe()), memory.clone());
    shared.begun(Duration::from_secs(1)).await;
    Locks::new(shared)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_and_none_by_halves() {
    let memory = memory();
    let (one, other) = (instance(&memory).await, instance(&memory).await);
    let held = one.take("name", "le", &names(&["a.test", "b.test"])).await.ok().unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = other.take("name", "le", &names(&["b.test", "c.test"])).await;
    assert!(matches!(refused, Err(Taken::Busy)));
    let rest = one.take("name", "le", &names(&["c.test"])).await;
    assert!(rest.is_ok(), "what was taken in vain is given back");
    assert!(one.take("name", "other", &names(&["a.test"])).await.is_ok(), "each resolver has its own");
    held.release(None).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(other.take("name", "le", &names(&["b.test"])).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_holder_without_a_sign_of_life_is_passed_over_and_finds_out() {
    let memory = memory();
    let (one, other) = (instance(&memory).await, instance(&memory).await);
    let wanted = names(&["a.test"]);
    let mut held = one.take("name", "le", &wanted).await.ok().unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(matches!(other.take("name", "le", &wanted).await, Err(Taken::Busy)));
    // Signs of life keep it, however long the order takes.
    let alive = tokio::time::timeout(SILENCE * 3 + Duration::from_secs(1), held.lost()).await;
    assert!(alive.is_err());
    assert!(matches!(other.take("name", "le", &wanted).await, Err(Taken::Busy)));
    tokio::time::sleep(SIGN * 3).await;
    assert!(matches!(other.take("name", "le", &wanted).await, Err(Taken::Busy)));
    tokio::time::sleep(SIGN * 4).await;
    let taken = other.take("name", "le", &wanted).await.ok().unwrap();
    assert_eq!(taken.held.values().map(|lock| lock.term).collect::<Vec<_>>(), [2]);
    held.lost().await;
    held.release(None).await;
    let mut still = taken;
    assert!(tokio::time::timeout(SIGN * 3, still.lost()).await.is_err(), "whoever was passed over changes nothing");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_everybodys() {
    let memory = memory();
    let (one, other) = (instance(&memory).await, instance(&memory).await);
    let held = one.take("name", "le", &names(&["a.test"])).await.ok().unwrap();
    let failure = Failure { rest: Some(Duration::from_mins(5)), ..Failure::new("no such host") };
    held.release(Some(&failure)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let Err(Taken::Failed(told)) = other.take("name", "le", &names(&["a.test"])).await else { panic!("it is taken") };
    assert_eq!(told.text, "no such host");
    assert!(told.rest.is_some_and(|rest| rest > Duration::from_mins(4)));
}
