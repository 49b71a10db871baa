//! The model as a whole.
#[test]
fn dump() {
    let mut out = String::new();
    for line in super::options::all() {
        out.push_str(&format!("{}\t{}\n", line.path.to_lowercase(), line.default));
    }
    std::fs::write("/tmp/set/ours.tsv", out).unwrap();
}
