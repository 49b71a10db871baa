//! The whole router on free ports, with a folder of dynamic files of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use trafficcop::App;
use trafficcop_config::read::{Format, document};
use trafficcop_config::settings::load::{Source, load};

use super::{Answer, get, until};

/// The name of the dynamic file that [`Router::write`] replaces.
const DYNAMIC: &str = "dynamic.yml";

/// A running router.
pub(crate) struct Router {
    pub(crate) app: App,
    folder: TempDir,
}

impl Router {
    /// With the entry points `web` and `traefik`, which serves the API, and this dynamic file.
    pub(crate) async fn start(dynamic: &str) -> Self {
        Self::start_with("entryPoints: {web: {address: '127.0.0.1:0'}}", dynamic).await
    }

    /// The same with entry points and whatever else belongs into a static file.
    pub(crate) async fn start_with(settings: &str, dynamic: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        fs::write(folder.path().join(DYNAMIC), dynamic).expect("the folder can be written");
        let text = settings.replacen("entryPoints: {", "entryPoints: {traefik: {address: '127.0.0.1:0'}, ", 1);
        let file = format!("providers: {{file: {{directory: '{}'}}", folder.path().display());
        let text = if text.contains("providers: {") {
            text.replacen("providers: {", &format!("{file}, "), 1)
        } else {
            format!("{text}\n{file}}}")
        };
        let text = if text.contains("\napi: {") {
            text.replacen("\napi: {", "\napi: {insecure: true, ", 1)
        } else {
            format!("{text}\napi: {{insecure: true}}\n")
        };
        let node = document(&text, Format::Yaml, "static.yml").expect("the settings are YAML");
        let loaded = load(Source::File("static.yml".into()), &node).expect("the settings are right");
        let app = App::start(loaded.settings).await.expect("the router starts");
        Self { app, folder }
    }

    /// Where `web` listens.
    pub(crate) fn web(&self) -> SocketAddr {
        self.address("web")
    }

    #[track_caller]
    pub(crate) fn address(&self, entry_point: &str) -> SocketAddr {
        self.app.address(entry_point).expect("the entry point exists")
    }

    /// `GET` on `web`.
    pub(crate) async fn get(&self, host: &str, path: &str) -> Answer {
        get(self.web(), host, path).await
    }

    /// `GET` on the API, below `/api`.
    pub(crate) async fn api(&self, path: &str) -> Answer {
        get(self.address("traefik"), "127.0.0.1", &format!("/api{path}")).await
    }

    /// Waits until `web` answers with this status, and says how long that took.
    pub(crate) async fn answers(&self, status: u16, host: &str, path: &str) -> std::time::Duration {
        let is_so = || async { self.get(host, path).await.status == status };
        until(&format!("{host}{path} answers {status}"), is_so).await
    }

    /// Waits until a problem is reported of which the text contains all of `parts`.
    pub(crate) async fn reports(&self, parts: &[&str]) -> Value {
        let find = || async {
            let Value::Array(problems) = self.api("/problems").await.json() else { return None };
            problems.into_iter().find(|problem| parts.iter().all(|part| problem.to_string().contains(part)))
        };
        until(&format!("a problem with {parts:?} is reported"), || async { find().await.is_some() }).await;
        find().await.expect("what was reported stays reported")
    }

    /// Replaces the dynamic file in one step, as editors and configuration management do.
    pub(crate) fn write(&self, text: &str) {
        let new = self.folder.path().join("new.tmp");
        fs::write(&new, text).expect("the folder can be written");
        fs::rename(&new, self.file()).expect("the file can be replaced");
    }

    /// Writes over the dynamic file in place.
    pub(crate) fn overwrite(&self, text: &str) {
        fs::write(self.file(), text).expect("the file can be written");
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join(DYNAMIC)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A document with one router per host, all to the same servers.
pub(crate) fn routes(hosts: &[&str], urls: &[String]) -> String {
    let routers: Vec<_> =
        hosts.iter().map(|host| format!("    {host}: {{rule: Host(`{host}`), service: s}}\n")).collect();
    let servers: Vec<_> = urls.iter().map(|url| format!("{{url: '{url}'}}")).collect();
    let servers = servers.join(", ");
    format!("http:\n  routers:\n{}  services: {{s: {{loadBalancer: {{servers: [{servers}]}}}}}}\n", routers.concat())
}
