//! A dynamic configuration written as one document.

use std::sync::Arc;

use super::Configuration;
use crate::{ConfigErrors, Node, Value};

/// The sections of a dynamic configuration.
pub const SECTIONS: [&str; 4] = ["http", "tcp", "udp", "tls"];

/// Decodes a document. Root keys that are not ours are left alone, so that one file can hold the static and the dynamic
/// configuration; below a section an unknown key is an error.
pub fn decode(document: &Node) -> Result<Configuration, ConfigErrors> {
    let Value::Map(entries) = &document.value else { return document.decode() };
    let ours = |(key, _): &&(Arc<str>, Node)| SECTIONS.iter().any(|section| key.eq_ignore_ascii_case(section));
    Node::new(Value::Map(entries.iter().filter(ours).cloned().collect()), document.at.clone()).decode()
}
