//! Folders of configurations, and what becomes of them: routes with the answer of each, TLS options, the report.
//!
//! Each folder of `golden/` holds `static.yml` and one file per provider; the internal provider is always there.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{Bench, configurations, describe};

fn build(case: &Path) -> String {
    let static_yaml = fs::read_to_string(case.join("static.yml")).expect("the case has static settings");
    let mut files: Vec<PathBuf> = fs::read_dir(case).expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yml") && !path.ends_with("static.yml"));
    let said: Vec<(String, String)> = (files.iter())
        .map(|path| {
            let provider = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            (provider, fs::read_to_string(path).expect("it can be read"))
        })
        .collect();
    let said: Vec<_> = said.iter().map(|(provider, yaml)| (provider.as_str(), yaml.as_str())).collect();
    describe(&Bench::new(&static_yaml).apply_all(configurations(&said)))
}

#[test]
fn golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut cases: Vec<_> = fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.path()).collect();
    cases.sort();
    assert!(cases.len() >= 5, "cases are missing");
    for case in cases {
        let mut insta = insta::Settings::clone_current();
        insta.set_snapshot_path(&case);
        insta.set_prepend_module_to_snapshot(false);
        insta.set_omit_expression(true);
        insta.bind(|| insta::assert_snapshot!("routes", build(&case)));
    }
}
