use std::path::Path;

use crate::dynamic::Configuration;
use crate::read::{Format, document};

#[test]
fn reference_documents_decode() {
    for name in ["file.yaml", "file.toml"] {
        let path = Path::new("/work/shared/reference/dynamic").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let node = document(&text, Format::of(&path).unwrap(), name).unwrap_or_else(|e| panic!("{e}"));
        let configuration: Configuration = crate::dynamic::document::decode(&node).unwrap_or_else(|e| panic!("{e}"));
        println!("{}", serde_json::to_string_pretty(&configuration).unwrap());
    }
}
