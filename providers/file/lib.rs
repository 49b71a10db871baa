//! The file provider: one file or a directory, read as Go templates, watched.
//!
//! A load is whole or not at all: one bad file leaves what was published before in force. What must hold: a reader never
//! takes a half-written file for a configuration if the writer closes or renames it in time (see [`watch`]).

mod inline;
mod load;
mod merge;
mod watch;

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use trafficcop_config::ConfigErrors;
use trafficcop_config::dynamic::Configuration;
use trafficcop_provider::{Provider, ProviderError, Publisher, workshop};

use load::Known;
pub use load::{Source, load};

/// What the provider is told; made from `providers.file`.
#[derive(Clone, Debug)]
pub struct Settings {
    pub source: Source,
    pub watch: bool,
    /// Log each document after its templates were expanded.
    pub log_templates: bool,
}

/// See the crate.
pub struct File {
    settings: Settings,
    known: Known,
}

type Loaded = Result<Configuration, ConfigErrors>;

impl Provider for File {
    const NAME: &'static str = "file";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        Ok(Self { settings, known: Known::new() })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let mut hangup = signal(SignalKind::hangup()).map_err(|error| ProviderError(format!("SIGHUP: {error}")))?;
        // The watch begins before the first read, so that no change falls between the two.
        let mut changes = if self.settings.watch { Some(watch::Changes::of(&self.settings.source)?) } else { None };
        loop {
            self.publish(out).await;
            let changed = async {
                match &mut changes {
                    Some(changes) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = changed => changed?,
                _ = hangup.recv() => tracing::info!("SIGHUP: reading the file configuration again."),
            }
            if let Some(changes) = &mut changes {
                changes.follow(&self.settings.source);
            }
        }
    }
}

impl File {
    async fn publish(&mut self, out: &Publisher) {
        let (source, log_templates) = (self.settings.source.clone(), self.settings.log_templates);
        let known = std::mem::take(&mut self.known);
        let Some((loaded, known)) = loaded(source, log_templates, known).await else {
            tracing::error!("Reading the file configuration failed inside.");
            return;
        };
        self.known = known;
        out.accept(loaded).await;
    }
}

/// Like [`load`], with what may wait for disks where nobody else waits for it. None: it failed inside.
async fn loaded(source: Source, log_templates: bool, mut known: Known) -> Option<(Loaded, Known)> {
    let texts = tokio::task::spawn_blocking(move || load::read(&source)).await.ok()?;
    let decode = move || (load::decode(texts, log_templates, &mut known), known);
    let (decoded, known) = workshop::work(decode).await?;
    let mut configuration = match decoded {
        Ok(configuration) => configuration,
        Err(errors) => return Some((Err(errors), known)),
    };
    let inlined = move || {
        inline::inline(&mut configuration);
        configuration
    };
    Some((Ok(tokio::task::spawn_blocking(inlined).await.ok()?), known))
}

/// The folder to watch for one path.
fn parent(path: &std::path::Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests;
