//! Labels of containers, one `name=value` a line: read into a tree, and decoded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trafficcop_config::dynamic::Configuration;
use trafficcop_config::read::labels::{DYNAMIC, read};

fuzz_target!(|text: &str| {
    let pairs: Vec<_> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let Ok(node) = read(pairs.iter().copied(), "fuzz", &DYNAMIC) else { return };
    let first = node.decode::<Configuration>();
    // The order in which an engine lists labels means nothing.
    let turned = read(pairs.iter().rev().copied(), "fuzz", &DYNAMIC).expect("the same labels in another order");
    if has_no_name_twice(&pairs) {
        assert_eq!(first.ok(), turned.decode::<Configuration>().ok());
    }
});

/// An engine never lists a name twice.
fn has_no_name_twice(pairs: &[(&str, &str)]) -> bool {
    let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1])
}
