//! `tests/golden/<case>/`: what `/api/rawdata` says of `input.yml` stands in `merged.json`.
//!
//! `UPDATE_GOLDEN=1 cargo test --test it golden` writes the answers anew; look at the difference before committing it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Router, until};

const SETTINGS: &str = "entryPoints: {web: {address: '127.0.0.1:0'}, websecure: {address: '127.0.0.1:0'}}";

/// The router that every input ends with; when it is there, so is the rest.
const LAST: &str = "golden-last@file";

#[track_caller]
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The case's answer, with one key per line.
async fn answer(case: &Path) -> String {
    let input = read(&case.join("input.yml"));
    assert!(input.contains("golden-last:"), "{}: the input names no router golden-last", case.display());
    let router = Router::start_with(SETTINGS, &input).await;
    let is_there = || async { router.api("/rawdata").await.json()["routers"].get(LAST).is_some() };
    until(&format!("{} is in force", case.display()), is_there).await;
    let answer = router.api("/rawdata").await.json();
    router.app.stop().await;
    serde_json::to_string_pretty(&answer).expect("JSON can be written") + "\n"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rawdata_is_as_it_was() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = fs::read_dir(&top).expect("the folder of cases exists").flatten();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 4, "cases are missing: {cases:?}");
    let is_updating = std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1");
    let mut different = Vec::new();
    for case in &cases {
        let (path, now) = (case.join("merged.json"), answer(case).await);
        if is_updating {
            fs::write(&path, &now).expect("the answer can be written");
            continue;
        }
        let before = read(&path);
        if before != now {
            let line = before.lines().zip(now.lines()).position(|(before, now)| before != now);
            let line = line.unwrap_or_else(|| before.lines().count().min(now.lines().count()));
            let at = |text: &str| text.lines().nth(line).unwrap_or("(nothing)").trim().to_owned();
            different.push(format!("{}:{}: was {}, is {}", path.display(), line + 1, at(&before), at(&now)));
        }
    }
    assert!(different.is_empty(), "{different:#?}");
}
