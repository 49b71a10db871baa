//! The request target: escaped path and query, as they will be sent on.

use bytes::Bytes;

/// Path and query of a request, kept in their escaped form. The path is visible ASCII (the engines escape or refuse
/// anything else); the query, which Go passes on as it came, may hold other UTF-8, but neither blanks nor control
/// characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    path: Bytes,
    query: Option<Bytes>,
}

impl Target {
    /// From `path?query`. The caller has checked that it begins with `/` (or is `*`) and is visible ASCII.
    pub fn parse(text: Bytes) -> Self {
        match text.iter().position(|byte| *byte == b'?') {
            Some(at) => {
                let query = text.slice(at + 1..);
                Self { path: text.slice(..at), query: Some(query) }
            }
            None => Self { path: text, query: None },
        }
    }

    /// The escaped path, with its leading slash.
    pub fn path(&self) -> &str {
        std::str::from_utf8(&self.path).unwrap_or("/")
    }

    /// The path as bytes: what an engine writes.
    pub fn path_bytes(&self) -> &[u8] {
        &self.path
    }

    /// What follows the `?`, escaped; `Some("")` when there is a `?` and nothing behind it.
    pub fn query(&self) -> Option<&str> {
        self.query.as_ref().map(|query| std::str::from_utf8(query).unwrap_or(""))
    }

    /// Leaves out what the path begins with, `length` bytes of it; what stays has to begin with a slash.
    pub fn cut_path(&mut self, length: usize) {
        self.path = self.path.slice(length..);
    }

    pub fn set_path(&mut self, path: impl Into<Bytes>) {
        self.path = path.into();
    }

    pub fn set_query(&mut self, query: Option<Bytes>) {
        self.query = query;
    }

    /// `path?query`, what Go calls the request URI.
    pub fn to_uri(&self) -> String {
        match self.query() {
            Some(query) => format!("{}?{query}", self.path()),
            None => self.path().to_owned(),
        }
    }
}
