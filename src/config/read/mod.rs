//! One reader per notation, each from text or pairs to a [`Node`](crate::Node).
//!
//! A reader knows its notation and nothing of any model. What must hold: no input makes a reader use more memory or
//! stack than the bounds below allow, and every node carries its place.

pub mod env;
pub mod flags;
pub mod json;
pub mod kv;
pub mod labels;
mod position;
#[cfg(test)]
mod tests;
pub mod toml;
mod tree;
pub mod yaml;

use std::path::Path;

use crate::{ConfigError, ConfigErrors, Node, Origin, Problem};

/// Longer documents are refused unread.
pub const MAX_BYTES: usize = 64 << 20;
/// Deeper nesting is an error; no configuration comes near it.
pub const MAX_DEPTH: usize = 64;
/// A document may not become more nodes than this, YAML aliases written out.
pub const MAX_NODES: usize = 1_000_000;

/// More errors than these help nobody.
pub(crate) const MAX_ERRORS: usize = 100;

/// A notation of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Toml,
    Json,
}

impl Format {
    /// By the extension of a file name, whatever its case.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Reads a document. `file` is what its places are called.
pub fn document(text: &str, format: Format, file: &str) -> Result<Node, ConfigErrors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > MAX_BYTES {
        let message = format!("the document has {} bytes, more than the {MAX_BYTES} that are read", text.len());
        return Err(syntax(Origin::File { file: file.into(), line: 1, column: 1 }, message).into());
    }
    match format {
        Format::Yaml => yaml::read(text, file),
        Format::Toml => toml::read(text, file),
        Format::Json => json::read(text, file),
    }
}

fn syntax(at: Origin, message: impl Into<String>) -> ConfigError {
    ConfigError { at, path: String::new(), problem: Problem::Syntax { message: message.into() } }
}
