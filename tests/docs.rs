//! The reference of middlewares is made of the heads of their modules: `UPDATE_DOCS=1 cargo test --test docs` writes it.

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
