//! Rules of the house that no compiler checks: the floors, the size of files, sorted registries, documented kinds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The most lines a source file may have, tests included.
const MAX_LINES: usize = 500;

/// Which crates of ours a crate may use: those on floors below its own.
const FLOORS: &[(&str, u8)] = &[
    ("trafficcop-config", 0),
    ("trafficcop-exchange", 0),
    ("trafficcop-router", 0),
    ("trafficcop-balancer", 0),
    ("trafficcop-h1", 1),
    ("trafficcop-merger", 1),
    ("trafficcop-provider", 1),
    ("trafficcop-tls", 1),
    ("trafficcop-middleware", 1),
    ("trafficcop-observe", 1),
    ("trafficcop-proxy", 2),
    ("trafficcop-kv", 2),
    ("trafficcop-remote", 2),
    ("trafficcop-export", 3),
    ("trafficcop-provider-acme", 3),
    ("trafficcop-provider-consul", 3),
    ("trafficcop-provider-consul-catalog", 3),
    ("trafficcop-provider-docker", 2),
    ("trafficcop-provider-ecs", 3),
    ("trafficcop-provider-etcd", 3),
    ("trafficcop-provider-file", 2),
    ("trafficcop-provider-http", 3),
    ("trafficcop-provider-internal", 2),
    ("trafficcop-provider-nomad", 3),
    ("trafficcop-provider-redis", 3),
    ("trafficcop-provider-rest", 2),
    ("trafficcop-provider-zookeeper", 3),
    ("trafficcop-snapshot", 3),
    ("trafficcop-api", 4),
    ("trafficcop-server", 4),
    ("trafficcop", 5),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with("target") && !name.starts_with('.') && name != "node_modules" {
                files(&path, ending, into);
            }
        } else if name.ends_with(ending) {
            into.push(path);
        }
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["src", "providers", "tests"] {
        files(&root().join(folder), ".rs", &mut found);
    }
    assert!(found.len() > 50, "the source files were not found");
    found
}

#[test]
fn files_are_short() {
    let long: Vec<_> = sources()
        .iter()
        .map(|path| (path.display().to_string(), read(path).lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .collect();
    assert!(long.is_empty(), "files of more than {MAX_LINES} lines: {long:#?}");
}

#[test]
fn files_begin_with_what_they_are_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs") && !read(path).lines().any(|line| line.starts_with("//!")))
        .collect();
    assert!(silent.is_empty(), "files without a module head: {silent:#?}");
}

#[test]
fn no_stubs_and_no_silent_skips() {
    let mut found = Vec::new();
    for path in sources() {
        if path.ends_with("tests/tidy.rs") {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            if ["todo!(", "unimplemented!(", "FIXME", "XXX", "#[ignore]"].iter().any(|stub| line.contains(stub)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "unfinished: {found:#?}");
}

#[test]
fn crates_use_only_floors_below() {
    let floors: BTreeMap<_, _> = FLOORS.iter().copied().collect();
    let mut manifests = vec![root().join("Cargo.toml")];
    for folder in ["src", "providers"] {
        for entry in fs::read_dir(root().join(folder)).expect("the folder exists").flatten() {
            let manifest = entry.path().join("Cargo.toml");
            if manifest.exists() {
                manifests.push(manifest);
            }
        }
    }
    assert_eq!(manifests.len(), FLOORS.len(), "a crate is missing from the table of floors");
    for manifest in manifests {
        let text = read(&manifest);
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .expect("a package has a name")
            .trim_matches('"')
            .to_owned();
        let floor = *floors.get(name.as_str()).unwrap_or_else(|| panic!("{name} is missing from the table of floors"));
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or("");
        let dependencies = dependencies.split("\n[").next().unwrap_or("");
        for line in dependencies.lines().filter(|line| line.starts_with("trafficcop-")) {
            let used = line.split([' ', '.', '=']).next().unwrap_or("");
            let below = floors.get(used).unwrap_or_else(|| panic!("{name} uses {used}, which is in no floor"));
            assert!(below < &floor, "{name} (floor {floor}) must not use {used} (floor {below})");
        }
    }
}

#[test]
fn registries_are_sorted_and_complete() {
    let registry = read(&root().join("src/middleware/registry.rs"));
    let kinds: Vec<_> = registry
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Kind::of::<"))
        .map(|rest| rest.split('>').next().unwrap_or("").rsplit("::").next().unwrap_or("").to_owned())
        .collect();
    assert!(!kinds.is_empty(), "no kinds found in the registry");
    let mut sorted = kinds.clone();
    sorted.sort();
    assert_eq!(kinds, sorted, "the registry of middlewares is not sorted");
}

#[test]
fn every_kind_has_an_example() {
    let mut examples = Vec::new();
    files(&root().join("examples"), ".yml", &mut examples);
    let all: String = examples.iter().map(|path| read(path)).collect();
    let mut missing = Vec::new();
    for kind in trafficcop_middleware::KINDS {
        if !all.contains(&format!("{}:", kind.name)) {
            missing.push(kind.name);
        }
    }
    assert!(missing.is_empty(), "kinds of middlewares without an example in examples/: {missing:?}");
}

#[test]
fn no_machine_paths_and_no_registry_hosts() {
    let mut all = Vec::new();
    for ending in [".rs", ".md", ".toml", ".yml", ".yaml", "Dockerfile", "run", ".sh"] {
        files(&root(), ending, &mut all);
    }
    let forbidden = [
        concat!("/wo", "rk/"),
        concat!("crates", ".io"),
        concat!("static.", "crates"),
        concat!("deb.", "debian.org"),
        concat!("pypi", ".org"),
        concat!("registry.", "npmjs"),
    ];
    let mut found = Vec::new();
    for path in all {
        let text = read(&path);
        found.extend(
            forbidden.iter().filter(|word| text.contains(**word)).map(|word| format!("{}: {word}", path.display())),
        );
    }
    assert!(found.is_empty(), "{found:#?}");
}
