//! What is read from files, what is refused, and when it is read again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use trafficcop_config::dynamic::Configuration;
use trafficcop_provider::{Event, Provider, Publisher};

use crate::{File, Settings, Source, load};

fn router(name: &str) -> String {
    format!("http:\n  routers:\n    {name}:\n      rule: Host(`{name}.test`)\n      service: s\n")
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn routers(configuration: &Configuration) -> Vec<String> {
    configuration.http.iter().flat_map(|http| http.routers.keys().cloned()).collect()
}

/// The routers read from a folder, or the errors as text.
#[track_caller]
fn check(files: &[(&str, &str)], expected: Result<&[&str], &str>) {
    let folder = folder(files);
    let found = load(&Source::Directory(folder.path().to_owned()), false);
    match (found.map(|configuration| routers(&configuration)), expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(errors), Err(part)) => assert!(errors.to_string().contains(part), "{errors}"),
        (found, _) => panic!("{found:?}"),
    }
}

#[test]
fn every_document_below_the_folder_is_read_and_nothing_else() {
    let toml = "[http.routers.t]\nrule = \"Host(`t`)\"\nservice = \"s\"\n";
    let files = [
        ("a.yml", &*router("a")),
        ("deep/b.yaml", &*router("b")),
        ("t.toml", toml),
        ("acme.json", "{"),
        ("x.txt", ":"),
    ];
    check(&files, Ok(&["a", "b", "t"]));
}

#[test]
fn the_first_file_keeps_a_name() {
    let other = "http: {routers: {a: {rule: Host(`other`), service: s}}}";
    let folder = folder(&[("1.yml", &router("a")), ("2.yml", other)]);
    let found = load(&Source::Directory(folder.path().to_owned()), false).expect("good files");
    assert_eq!(found.http.expect("routers").routers["a"].rule.value, "Host(`a.test`)");
}

#[test]
fn one_bad_file_refuses_the_whole_with_its_place() {
    let bad = "http:\n  routers:\n    b:\n      ruel: x\n";
    check(&[("a.yml", &router("a")), ("b.yml", bad)], Err("b.yml:4:7: http.routers.b"));
    check(&[("a.yml", &router("a")), ("b.yml", bad)], Err("did you mean rule?"));
    check(&[("a.yml", "http: [")], Err("a.yml"));
}

#[test]
fn static_keys_beside_dynamic_ones_are_left_alone() {
    check(&[("a.yml", &format!("entryPoints: {{web: {{address: ':80'}}}}\n{}", router("a")))], Ok(&["a"]));
}

#[test]
fn documents_are_templates() {
    let text = "http:\n  routers:\n{{ range $n := list \"a\" \"b\" }}    {{ $n }}: {rule: 'Host(`{{ upper $n }}`)', service: s}\n{{ end }}";
    check(&[("a.yml", text)], Ok(&["a", "b"]));
    check(&[("a.yml", "{{ nonsense }}")], Err("template"));
}

/// A running provider on a folder, and what it says.
struct Running {
    events: mpsc::Receiver<Event>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(source: Source) -> Self {
        let (send, events) = mpsc::channel(16);
        let publisher = Publisher::new("file", send, Arc::new(|_, _| Ok(())));
        let mut provider = File::new(Settings { source, watch: true, log_templates: false }).expect("good settings");
        let task = tokio::spawn(async move {
            provider.run(&publisher).await.expect("the watch holds");
        });
        Self { events, task }
    }

    async fn next(&mut self) -> Result<Vec<String>, String> {
        let event =
            tokio::time::timeout(Duration::from_secs(10), self.events.recv()).await.expect("in time").expect("running");
        match event {
            Event::Configuration { configuration, .. } => Ok(routers(&configuration)),
            Event::Refused { errors, .. } => Err(errors.to_string()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn swap(link: &Path, target: &Path) {
    let new = link.with_extension("new");
    std::os::unix::fs::symlink(target, &new).expect("a link");
    fs::rename(new, link).expect("a rename");
}

#[tokio::test]
async fn changes_are_seen_however_they_are_made() {
    let folder = folder(&[("a.yml", &router("a"))]);
    let at = |name: &str| folder.path().join(name);
    let mut running = Running::start(Source::Directory(folder.path().to_owned()));
    assert_eq!(running.next().await, Ok(vec!["a".into()]));
    fs::write(at("a.yml"), router("written")).expect("a write");
    assert_eq!(running.next().await, Ok(vec!["written".into()]));
    fs::write(at("a.tmp"), router("renamed")).expect("a write");
    fs::rename(at("a.tmp"), at("a.yml")).expect("a rename");
    assert_eq!(running.next().await, Ok(vec!["renamed".into()]));
    fs::write(at("a.yml"), "http: [").expect("a write");
    assert!(running.next().await.is_err());
    fs::write(at("a.yml"), router("again")).expect("a write");
    assert_eq!(running.next().await, Ok(vec!["again".into()]));
    fs::remove_file(at("a.yml")).expect("a removal");
    assert_eq!(running.next().await, Ok(vec![]));
}

#[tokio::test]
async fn swapped_links_are_followed() {
    let folder = folder(&[("v1/c.yml", &router("one")), ("v2/c.yml", &router("two")), ("w/x", "")]);
    let at = |name: &str| folder.path().join(name);
    swap(&at("w/data"), &at("v1"));
    std::os::unix::fs::symlink("data/c.yml", at("w/c.yml")).expect("a link");
    let mut running = Running::start(Source::File(at("w/c.yml")));
    assert_eq!(running.next().await, Ok(vec!["one".into()]));
    swap(&at("w/data"), &at("v2"));
    assert_eq!(running.next().await, Ok(vec!["two".into()]));
    fs::write(at("v2/c.yml"), router("three")).expect("a write");
    assert_eq!(running.next().await, Ok(vec!["three".into()]));
}
