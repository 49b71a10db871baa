//! Tells when a file of certificates may have been changed from outside.

use std::path::{Path, PathBuf};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

/// Watches folders, since files are replaced by renaming. Ends with the value.
pub(crate) struct Watch {
    changed: watch::Receiver<()>,
    _watcher: Option<RecommendedWatcher>,
}

impl Watch {
    pub(crate) fn of(files: Vec<PathBuf>) -> Self {
        let (send, changed) = watch::channel(());
        let folders: std::collections::BTreeSet<_> = files.iter().map(|file| folder(file)).collect();
        let concerns = move |path: &PathBuf| files.iter().any(|file| file.file_name() == path.file_name());
        let told = move |event: notify::Result<notify::Event>| {
            let matters = event.map_or(true, |event| {
                event.need_rescan()
                    || (!matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(&concerns))
            });
            if matters {
                send.send_replace(());
            }
        };
        let watcher = notify::recommended_watcher(told).and_then(|mut watcher| {
            for folder in &folders {
                watcher.watch(folder, RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "Files of certificates are read again only now and then: they cannot be watched.");
        }
        Self { changed, _watcher: watcher.ok() }
    }

    /// Waits for a change; for ever, when there is nothing to watch.
    pub(crate) async fn next(&mut self) {
        if self.changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn folder(file: &Path) -> PathBuf {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}
