//! User lists of basicAuth and digestAuth: inline entries and a file, which is read again once it has changed.
//!
//! What must hold: a file that cannot be read any more, or holds nonsense, leaves the users of last time in force.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use tokio::time::{Instant, timeout};

use crate::{BuildError, password};

/// The file is looked at once in this time at most, and only when somebody asks.
const PAUSE: Duration = Duration::from_secs(1);
/// How long that may hold up a request.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes a line apart: name and the rest.
pub(crate) type Split = fn(&str) -> Result<(String, String), String>;

/// See the module.
pub(crate) struct Users {
    source: Source,
    began: Instant,
    /// Milliseconds since then at which the file was last looked at.
    looked: AtomicU64,
    current: RwLock<Known>,
}

#[derive(Clone)]
struct Source {
    /// These override those of the file.
    inline: Vec<String>,
    file: String,
    split: Split,
}

#[derive(Clone)]
struct Known {
    list: Arc<List>,
    stamp: Option<Stamp>,
}

/// When the file was written, and its length.
type Stamp = (SystemTime, u64);

/// The users of one moment.
#[derive(Default)]
pub(crate) struct List {
    entries: BTreeMap<String, String>,
    /// The hash that is verified for unknown users: the slowest of them.
    pub(crate) stand_in: String,
}

impl List {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.entries.get(name).map(String::as_str)
    }
}

impl Users {
    pub(crate) fn load(inline: &[String], file: &str, split: Split) -> Result<Self, BuildError> {
        let source = Source { inline: inline.to_vec(), file: file.to_owned(), split };
        let stamp = source.stamp();
        let list = source.read().map_err(BuildError::Invalid)?;
        let current = RwLock::new(Known { list: Arc::new(list), stamp });
        Ok(Self { source, began: Instant::now(), looked: AtomicU64::new(0), current })
    }

    /// Those of now.
    pub(crate) async fn now(&self) -> Arc<List> {
        if !self.source.file.is_empty() && self.is_time() {
            let (source, before) = (self.source.clone(), self.current.read().stamp);
            let looking = tokio::task::spawn_blocking(move || source.changed_since(before));
            if let Ok(Ok(Some((stamp, list)))) = timeout(PATIENCE, looking).await {
                let mut current = self.current.write();
                current.stamp = stamp;
                if let Some(list) = list {
                    current.list = Arc::new(list);
                }
            }
        }
        Arc::clone(&self.current.read().list)
    }

    fn is_time(&self) -> bool {
        let now = self.began.elapsed().as_millis() as u64;
        let looked = self.looked.load(Ordering::Relaxed);
        now.saturating_sub(looked) >= PAUSE.as_millis() as u64
            && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Source {
    fn stamp(&self) -> Option<Stamp> {
        let about = fs::metadata(&self.file).ok()?;
        Some((about.modified().ok()?, about.len()))
    }

    /// None: it has not changed. Without a list it has, and is of no use.
    fn changed_since(&self, before: Option<Stamp>) -> Option<(Option<Stamp>, Option<List>)> {
        let stamp = self.stamp();
        if stamp == before {
            return None;
        }
        let list = self.read().inspect_err(|error| {
            tracing::warn!(file = self.file, error, "The users of last time stay in force: their file cannot be used.");
        });
        Some((stamp, list.ok()))
    }

    fn read(&self) -> Result<List, String> {
        let mut lines = Vec::new();
        if !self.file.is_empty() {
            let text = fs::read_to_string(&self.file)
                .map_err(|error| format!("cannot read usersFile {}: {error}", self.file))?;
            let said = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            lines.extend(said.map(ToOwned::to_owned));
        }
        lines.extend(self.inline.iter().cloned());
        let entries: BTreeMap<_, _> = lines.iter().map(|line| (self.split)(line)).collect::<Result<_, _>>()?;
        if entries.is_empty() {
            return Err("no users found: neither users nor usersFile holds one".to_owned());
        }
        let stand_in = entries.values().max_by_key(|hash| password::is_slow(hash)).cloned().unwrap_or_default();
        Ok(List { entries, stand_in })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<(String, String), String> {
        line.split_once(':').map(|(name, hash)| (name.into(), hash.into())).ok_or_else(|| "no colon".into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_changes_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("users");
        fs::write(&file, "a:1\n# nobody\n").expect("written");
        let users = Users::load(&["b:2".into()], &file.display().to_string(), split).expect("good users");
        let known = async |name: &str| {
            tokio::time::advance(PAUSE).await;
            users.now().await.get(name).map(ToOwned::to_owned)
        };
        assert_eq!((known("a").await.as_deref(), known("b").await.as_deref()), (Some("1"), Some("2")));
        fs::write(&file, "a:one\nc:3\n").expect("written");
        assert_eq!((known("a").await.as_deref(), known("c").await.as_deref()), (Some("one"), Some("3")));
        fs::write(&file, "nonsense").expect("written");
        assert_eq!(known("a").await.as_deref(), Some("one"), "the last good ones stay");
        fs::remove_file(&file).expect("removed");
        assert_eq!(known("a").await.as_deref(), Some("one"));
        fs::write(&file, "d:44444\n").expect("written");
        assert_eq!((known("a").await, known("d").await.as_deref()), (None, Some("44444")));
    }
}
