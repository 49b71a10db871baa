//! The reference is made of the source: middlewares' pages of the heads of their modules, the reasons' page of their enum.
//! `UPDATE_DOCS=1 cargo test --test docs` writes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The `//!` lines at the top of a file, without the slashes.
fn head(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut page = String::new();
    for line in text.lines().map_while(|line| line.strip_prefix("//!")) {
        page.push_str(line.strip_prefix(' ').unwrap_or(line));
        page.push('\n');
    }
    page
}

/// What a page says first after its title, up to the end of the sentence.
fn summary(page: &str) -> String {
    let paragraph = page.split("\n\n").nth(1).unwrap_or("").replace('\n', " ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |at| at + 1);
    paragraph[..end].trim().to_owned()
}

/// By file name: what stands in `docs/middlewares/`.
fn pages() -> BTreeMap<String, String> {
    let mut heads = BTreeMap::new();
    for entry in fs::read_dir(root().join("src/middleware")).expect("the folder exists").flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "rs") {
            let page = head(&entry.path());
            if let Some(kind) = page.lines().next().and_then(|line| line.strip_prefix("# ")) {
                heads.insert(kind.to_owned(), page);
            }
        }
    }
    let mut pages = BTreeMap::new();
    let mut index = "# Middlewares\n\nEach page is the head of the module that does it; `tests/docs.rs` keeps them alike. Each kind has an \
                     example as a file and as labels in `examples/middlewares/`.\n\n| kind | what it does |\n| --- | --- |\n"
        .to_owned();
    for kind in trafficcop_middleware::KINDS {
        let page = heads.get(kind.name).unwrap_or_else(|| panic!("no module head begins with `# {}`", kind.name));
        let summary = summary(page);
        assert!(!summary.is_empty(), "{}: the head says nothing after its title", kind.name);
        writeln!(index, "| [{0}]({0}.md) | {1} |", kind.name, summary.replace('|', "\\|")).expect("memory");
        let example = format!(
            "{page}\nExample: [file](../../examples/middlewares/{0}.yml), [labels](../../examples/middlewares/{0}.labels). \
             [All middlewares](README.md)\n",
            kind.name
        );
        pages.insert(format!("{}.md", kind.name), example);
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

#[test]
fn pages_are_the_heads_of_their_modules() {
    let folder = root().join("docs/middlewares");
    let updates = std::env::var_os("UPDATE_DOCS").is_some();
    if updates {
        fs::create_dir_all(&folder).expect("a folder can be made");
    }
    let mut stale = Vec::new();
    let pages = pages();
    for (name, page) in &pages {
        let path = folder.join(name);
        if updates {
            fs::write(&path, page).expect("a page can be written");
        } else if fs::read_to_string(&path).ok().as_ref() != Some(page) {
            stale.push(name.clone());
        }
    }
    for entry in fs::read_dir(&folder).expect("the folder exists").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !pages.contains_key(&name) {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "write them anew with UPDATE_DOCS=1 cargo test --test docs: {stale:?}");
}

/// What stands in `docs/reasons.md`.
fn reasons() -> String {
    let mut page = "# Reasons\n\nEvery answer that TrafficCop makes itself has one stable code that says why. `tests/docs.rs` makes this page of the source.\n\n\
        | where | how |\n| --- | --- |\n\
        | metrics | `trafficcop_answers_total{reason=\"…\"}`, always there with `metrics.prometheus` |\n\
        | access log | the member `Reason` of the `json` layout, once `accessLog.fields.names.Reason` is `keep` |\n\
        | answer | the header `X-TrafficCop-Reason`, with `core.reasonHeader: true` in the static configuration |\n\
        | gRPC | callers over HTTP/2 get the status they would have made of that of HTTP, and `grpc-message` ends with the code |\n\n\
        Requests that are turned away before a route is looked for (what is no HTTP, say) are in the access log and among the \
        answers by reason; Traefik's own metrics never counted them and do not here. A name that the client tried is in the log even \
        when the answer is 401.\n\n\
        | code | status | meaning |\n| --- | --- | --- |\n"
        .to_owned();
    for reason in trafficcop_exchange::Reason::ALL {
        writeln!(page, "| `{}` | {} | {} |", reason.code(), reason.statuses(), reason.about()).expect("memory");
    }
    page
}

#[test]
fn the_page_of_reasons_is_made_of_their_enum() {
    let path = root().join("docs/reasons.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, reasons()).expect("a page can be written");
    }
    assert_eq!(
        fs::read_to_string(&path).ok(),
        Some(reasons()),
        "write it anew with UPDATE_DOCS=1 cargo test --test docs"
    );
}

/// The texts of all source files below a folder, tests left out.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("the folder exists").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") && name != "tests.rs" && name != "reason.rs" {
            let text = fs::read_to_string(&path).expect("readable");
            into.push_str(text.split("#[cfg(test)]").next().unwrap_or(""));
        }
    }
}

#[test]
fn every_reason_is_given_somewhere() {
    let mut all = String::new();
    sources(&root().join("src"), &mut all);
    let is_given = |reason: &&trafficcop_exchange::Reason| {
        all.match_indices(&format!("Reason::{reason:?}"))
            .any(|(at, found)| !all[at + found.len()..].starts_with(|next: char| next.is_ascii_alphanumeric()))
    };
    let silent: Vec<_> = trafficcop_exchange::Reason::ALL.iter().filter(|reason| !is_given(reason)).collect();
    assert!(silent.is_empty(), "no answer has these reasons: {silent:?}");
}
