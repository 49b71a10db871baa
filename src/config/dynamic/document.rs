//! A dynamic configuration written as one document.

use super::Configuration;
use crate::{ConfigErrors, Node, Value};

/// The sections of a dynamic configuration.
pub const SECTIONS: [&str; 4] = ["http", "tcp", "udp", "tls"];

/// Decodes a document. Root keys that are not ours are left alone, so that one file can hold the static and the dynamic
/// configuration; below a section an unknown key is an error.
pub fn decode(mut document: Node) -> Result<Configuration, ConfigErrors> {
    if let Value::Map(entries) = &mut document.value {
        entries.retain(|(key, _)| SECTIONS.iter().any(|section| key.eq_ignore_ascii_case(section)));
    }
    document.decode()
}
