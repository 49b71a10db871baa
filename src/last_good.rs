//! What each provider said last, kept in a file, so that the router comes up while every source is away.
//!
//! Only where `providers.lastGood` names a file. What must hold: what is read back is what was in force, or it is not
//! written; the file is whole or the one before; nobody else may read it; and a provider that speaks is heard, whatever
//! the file says.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use trafficcop_config::dynamic::Configuration;
use trafficcop_config::read::{Format, document};
use trafficcop_config::{Node, Value};
use trafficcop_merger::Configurations;

/// Between two writings.
const PAUSE: Duration = Duration::from_secs(1);

/// By the name of its provider.
pub(crate) type Restored = BTreeMap<String, Configuration>;

/// Keeps what is in force. Clones write to one file.
#[derive(Clone)]
pub(crate) struct LastGood(watch::Sender<Configurations>);

impl LastGood {
    /// Writes on the current runtime for as long as anybody holds this.
    pub(crate) fn start(path: PathBuf) -> Self {
        let (to, mut from) = watch::channel(Configurations::new());
        tokio::spawn(async move {
            while from.changed().await.is_ok() {
                let (configurations, path) = (from.borrow_and_update().clone(), path.clone());
                let written = tokio::task::spawn_blocking(move || write(&path, &configurations)).await;
                if let Ok(Err(error)) = written {
                    tracing::error!(%error, "providers.lastGood: what is in force cannot be kept.");
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self(to)
    }

    pub(crate) fn keep(&self, configurations: &Configurations) {
        self.0.send_replace(configurations.clone());
    }
}

/// What the file holds. One that is not there, or is no good, holds nothing.
pub(crate) fn read(path: &Path) -> Restored {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Restored::new(),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "providers.lastGood: the file cannot be read.");
            return Restored::new();
        }
    };
    match document(&text, Format::Json, &path.to_string_lossy()) {
        Ok(Node { value: Value::Map(providers), .. }) => {
            let restored = providers.into_iter().filter_map(|(name, node)| match node.decode() {
                Ok(configuration) => Some((name.to_string(), configuration)),
                Err(errors) => {
                    tracing::error!(provider = &*name, "providers.lastGood: {errors}");
                    None
                }
            });
            restored.collect()
        }
        Ok(_) => Restored::new(),
        Err(errors) => {
            tracing::error!("providers.lastGood: {errors}");
            Restored::new()
        }
    }
}

fn write(path: &Path, configurations: &Configurations) -> std::io::Result<()> {
    // Certificates of ACME have a place of their own.
    let kept = configurations.iter().filter(|(name, _)| !name.starts_with("acme"));
    let kept: BTreeMap<&Arc<str>, &Arc<Configuration>> = kept.filter(|(name, it)| is_the_same(name, it)).collect();
    let text = serde_json::to_vec(&kept)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let _left_by_a_crash = std::fs::remove_file(&beside);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

/// Would it be read back as it is? What would not is better not kept.
fn is_the_same(name: &str, configuration: &Configuration) -> bool {
    let text = serde_json::to_string(configuration).unwrap_or_default();
    let read = document(&text, Format::Json, name).and_then(|node| node.decode::<Configuration>());
    let is_same = read.as_ref() == Ok(configuration);
    if !is_same {
        tracing::warn!(provider = name, "providers.lastGood: this configuration cannot be kept as it is, and is not.");
    }
    is_same
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(yaml: &str) -> Configuration {
        document(yaml, Format::Yaml, "f.yml").and_then(|node| node.decode()).expect("it is good")
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("last-good.json");
        assert_eq!(read(&path), Restored::new());
        let everything = "{http: {routers: {r: {rule: Host(`a`), service: s, middlewares: [m], tls: {options: o}}},
            middlewares: {m: {headers: {customRequestHeaders: {X-A: b}}}},
            services: {s: {loadBalancer: {servers: [{url: 'http://a', weight: 2}], sticky: {cookie: {name: c}},
            healthCheck: {path: /h, interval: 7s}}}, w: {weighted: {services: [{name: s, weight: 0}]}}}},
            tcp: {routers: {t: {rule: HostSNI(`*`), service: t, tls: {passthrough: true}}},
            services: {t: {loadBalancer: {servers: [{address: 'a:1'}]}}}},
            tls: {options: {o: {minVersion: VersionTLS13}}}}";
        let kept: Configurations =
            [("redis".into(), Arc::new(configuration(everything))), ("acme".into(), Arc::default())].into();
        write(&path, &kept).expect("it can be written");
        let expected = Restored::from([("redis".to_owned(), configuration(everything))]);
        assert_eq!(read(&path), expected);
        std::fs::write(&path, "{\"redis\": {\"http\": {\"routers\": 7}}, \"etcd\": {}}").expect("it can be written");
        assert_eq!(read(&path), Restored::from([("etcd".to_owned(), Configuration::default())]));
        std::fs::write(&path, "rubbish").expect("it can be written");
        assert_eq!(read(&path), Restored::new());
    }
}
