//! [`Keeper`]: holds what a storage says, and sees to it that nothing new is lost when the storage fails.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::contents::{Change, Contents};
use crate::storage::Storage;

/// One per storage, shared by the resolvers that name it.
pub(crate) struct Keeper {
    storage: Arc<dyn Storage>,
    state: Arc<Mutex<State>>,
    /// One at a time reads, changes and writes.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    contents: Arc<Contents>,
    /// What could not be written yet, the newest of each kind.
    unsaved: Vec<Change>,
    /// Why the storage could not be read, the last time.
    broken: Option<String>,
}

impl Keeper {
    pub(crate) fn new(storage: impl Storage) -> Self {
        Self { storage: Arc::new(storage), state: Arc::default(), turn: Arc::default() }
    }

    pub(crate) fn contents(&self) -> Arc<Contents> {
        Arc::clone(&self.state.lock().contents)
    }

    /// Why nothing is ordered: what cannot be read would be ordered again, and could not be kept.
    pub(crate) fn broken(&self) -> Option<String> {
        self.state.lock().broken.clone()
    }

    pub(crate) fn has_unsaved(&self) -> bool {
        !self.state.lock().unsaved.is_empty()
    }

    /// Reads the storage anew; it may have been changed from outside.
    pub(crate) async fn reread(&self) -> Result<(), String> {
        self.turn(None).await
    }

    /// Takes the change in, whatever becomes of the storage; the error says why it is not written yet.
    pub(crate) async fn change(&self, change: Change) -> Result<(), String> {
        self.turn(Some(change)).await
    }

    async fn turn(&self, change: Option<Change>) -> Result<(), String> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let (storage, state) = (Arc::clone(&self.storage), Arc::clone(&self.state));
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&*storage, &state, change)
        });
        done.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// Somebody else may have written meanwhile: Traefik, or another process of ours. So everything begins with reading; a
/// storage that cannot be read is never written over.
fn work(storage: &dyn Storage, state: &Mutex<State>, change: Option<Change>) -> Result<(), String> {
    if let Some(change) = change {
        let mut state = state.lock();
        let mut contents = Contents::clone(&state.contents);
        change.apply(&mut contents);
        state.contents = Arc::new(contents);
        state.unsaved.retain(|before| !change.replaces(before));
        state.unsaved.push(change);
    }
    let read = storage.load();
    let unsaved = state.lock().unsaved.clone();
    let mut contents = match read {
        Ok(contents) => contents,
        Err(error) => {
            state.lock().broken = Some(error.clone());
            return Err(error);
        }
    };
    // An account of ours that Traefik dropped by writing the file is still ours.
    for (resolver, before) in &*Arc::clone(&state.lock().contents) {
        if let Some(now) = contents.get_mut(resolver).filter(|now| now.own.is_none()) {
            now.own.clone_from(&before.own);
        }
    }
    for change in &unsaved {
        change.apply(&mut contents);
    }
    let saved = if unsaved.is_empty() { Ok(()) } else { storage.save(&contents, &unsaved) };
    let mut state = state.lock();
    state.contents = Arc::new(contents);
    state.broken = None;
    if saved.is_ok() {
        state.unsaved.clear();
    }
    saved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::{Certificate, Own};
    use crate::storage::File;

    fn certificate(name: &str) -> Change {
        let certificate = Certificate::new(&[name.to_owned()], "chain", "key");
        Change::Certificate { resolver: "le".into(), certificate }
    }

    fn names(contents: &Contents) -> Vec<String> {
        contents["le"].certificates.iter().flatten().flat_map(|one| one.domain.names()).collect()
    }

    #[tokio::test]
    async fn a_broken_file_is_never_written_over_and_nothing_new_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme.json");
        let keeper = Keeper::new(File::new(&path));
        keeper.reread().await.unwrap();
        keeper.change(certificate("a.test")).await.unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();

        std::fs::write(&path, "{ half").unwrap();
        let refused = keeper.change(certificate("b.test")).await.unwrap_err();
        assert!(refused.contains("acme.json"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ half");
        assert!(keeper.broken().is_some() && keeper.has_unsaved());
        assert_eq!(names(&keeper.contents()), ["a.test", "b.test"], "both are in use");

        std::fs::write(&path, whole).unwrap();
        keeper.reread().await.unwrap();
        assert_eq!(names(&File::new(&path).load().unwrap()), ["a.test", "b.test"]);
        assert!(keeper.broken().is_none() && !keeper.has_unsaved());
    }

    #[tokio::test]
    async fn what_others_wrote_stays_and_so_does_our_account() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme.json");
        let keeper = Keeper::new(File::new(&path));
        let own = Own { email: "a@b.test".into(), directory: "d".into(), credentials: serde_json::Value::Null };
        keeper.change(Change::Account { resolver: "le".into(), own }).await.unwrap();

        let mut other = Contents::new();
        certificate("theirs.test").apply(&mut other);
        File::new(&path).save(&other, &[]).unwrap();
        keeper.change(certificate("ours.test")).await.unwrap();
        let kept = File::new(&path).load().unwrap();
        assert_eq!(names(&kept), ["theirs.test", "ours.test"]);
        assert!(kept["le"].own.is_some());
    }
}
