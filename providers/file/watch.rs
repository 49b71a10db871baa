//! When to read again.
//!
//! Folders are watched, not files: editors, configuration management and Kubernetes replace files by renaming. A change
//! counts when it is complete (file closed, renamed, removed); one that is only begun gets a short while to complete, so
//! that a document is not read half-written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use trafficcop_provider::ProviderError;

use crate::{Source, parent};

/// How long a begun write may take to be closed before the file is read anyway.
const UNFINISHED: Duration = Duration::from_millis(50);
/// How long after a complete change its companions are waited for (a rename is two events, a checkout many).
const SETTLE: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Begun,
    Complete,
    /// The kernel's queue overflowed or the watch broke: everything may have changed.
    Lost,
}

/// A stream of changes below a source.
pub(crate) struct Changes {
    events: mpsc::Receiver<Change>,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
}

impl Changes {
    pub(crate) fn of(source: &Source) -> Result<Self, ProviderError> {
        // When the queue is full a read is due anyway, so what does not fit may be dropped.
        let (send, events) = mpsc::channel(64);
        let file = match source {
            Source::File(path) => Some(path.clone()),
            Source::Directory(_) | Source::Among(_) => None,
        };
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Some(change) = classify(event, file.as_deref()) {
                let _full = send.try_send(change);
            }
        });
        let watcher = watcher.map_err(|error| ProviderError(format!("cannot watch files: {error}")))?;
        let mut changes = Self { events, watcher, watched: BTreeSet::new() };
        changes.follow(source);
        Ok(changes)
    }

    /// Watches what the source consists of by now: folders appear, links point elsewhere.
    pub(crate) fn follow(&mut self, source: &Source) {
        let mut wanted = BTreeSet::new();
        match source {
            Source::File(path) => linked(path, &mut wanted),
            Source::Directory(folder) | Source::Among(folder) => folders(folder, 0, &mut wanted),
        }
        for gone in self.watched.difference(&wanted).cloned().collect::<Vec<_>>() {
            let _not_there_any_more = self.watcher.unwatch(&gone);
            self.watched.remove(&gone);
        }
        for folder in wanted {
            if self.watched.contains(&folder) {
                continue;
            }
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(folder)),
                Err(error) => tracing::warn!(folder = %folder.display(), %error, "Cannot watch the folder."),
            }
        }
    }

    /// Waits for the next change that is worth a read.
    pub(crate) async fn next(&mut self) -> Result<(), ProviderError> {
        let ended = || ProviderError("the file watch ended".to_owned());
        let first = self.events.recv().await.ok_or_else(ended)?;
        let mut deadline = Instant::now() + if first == Change::Begun { UNFINISHED } else { SETTLE };
        while let Ok(change) = timeout_at(deadline, self.events.recv()).await {
            if change.ok_or_else(ended)? != Change::Begun {
                deadline = deadline.min(Instant::now() + SETTLE);
            }
        }
        Ok(())
    }
}

/// What an event means for the source, which may be the one `file` of a folder.
fn classify(event: notify::Result<notify::Event>, file: Option<&Path>) -> Option<Change> {
    let Ok(event) = event else { return Some(Change::Lost) };
    if event.need_rescan() {
        return Some(Change::Lost);
    }
    if file.is_some_and(|file| !concerns(&event, file)) {
        return None;
    }
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Remove(_) => Some(Change::Complete),
        EventKind::Access(_) => None,
        _ => Some(Change::Begun),
    }
}

/// Whether an event is about this file. What else happens in its folder would cost a read each time, and put off the read
/// that counts. Behind a link anything may matter.
fn concerns(event: &notify::Event, file: &Path) -> bool {
    let is_meant = |path: &PathBuf| path.file_name() == file.file_name() || *path == parent(file);
    event.paths.iter().any(is_meant) || file.is_symlink()
}

/// The folder of a file, and of each file that it links to.
fn linked(path: &Path, into: &mut BTreeSet<PathBuf>) {
    let mut path = path.to_owned();
    for _ in 0..8 {
        into.insert(parent(&path));
        match std::fs::read_link(&path) {
            Ok(target) => path = parent(&path).join(target),
            Err(_) => break,
        }
    }
    if let Ok(real) = path.canonicalize() {
        into.insert(parent(&real));
    }
}

/// A folder and those below it, with the folders that linked files really lie in.
fn folders(folder: &Path, depth: usize, into: &mut BTreeSet<PathBuf>) {
    into.insert(folder.to_owned());
    if depth >= 32 || into.len() >= 1024 {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => folders(&entry.path(), depth + 1, into),
            Ok(kind) if kind.is_symlink() => linked(&entry.path(), into),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use notify::Event;
    use notify::event::RenameMode;

    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: bool) {
        let mut event = Event::new(EventKind::Modify(ModifyKind::Name(RenameMode::Any)));
        event.paths = paths.iter().map(PathBuf::from).collect();
        let change = classify(Ok(event), Some(Path::new("/no/such/folder/dynamic.yml")));
        assert_eq!(change.is_some(), expected, "{paths:?}");
    }

    #[test]
    fn only_what_concerns_the_file_counts() {
        check(&["/no/such/folder/dynamic.yml"], true);
        check(&["/no/such/folder/new.tmp", "/no/such/folder/dynamic.yml"], true);
        check(&["/no/such/folder/new.tmp"], false);
        check(&["/no/such/folder"], true);
    }
}
