//! A service made of files: an extension.

use serde::{Deserialize, Serialize};

use crate::dynamic::is_false;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StaticFiles {
    /// The folder. Nothing outside of it is served, not through links either.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root: String,
    /// What answers for a folder, the first that exists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub index: Vec<String>,
    /// A file that answers, with 200, where browsers ask for a page that does not exist: for single-page applications.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fallback: String,
    /// Whether `x.br` and `x.gz` are sent in the place of `x` to clients that accept them.
    #[serde(skip_serializing_if = "is_false")]
    pub precompressed: bool,
    /// Sent as `Cache-Control` with every file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cache_control: String,
}

impl Default for StaticFiles {
    fn default() -> Self {
        Self {
            root: String::new(),
            index: vec!["index.html".into()],
            fallback: String::new(),
            precompressed: false,
            cache_control: String::new(),
        }
    }
}
