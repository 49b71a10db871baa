//! Options that are understood but have no effect: nobody should believe that they do.
//!
//! Whoever owns a part of the language lists such options as [`NoEffect`] patterns; what a document really sets of
//! them is found here, with its place.

use std::fmt;

use crate::decode::scalar::boolean;
use crate::{Node, Origin, Scalar, Value, pattern};

/// An option without effect, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEffect {
    /// Dotted path; `*` stands for any one name or item of a list: `http.routers.*.ruleSyntax`.
    pub pattern: &'static str,
    /// One sentence for the user.
    pub reason: &'static str,
}

/// Such an option, found in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub at: Origin,
    pub path: String,
    pub reason: &'static str,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} has no effect: {}", self.at, self.path, self.reason)
    }
}

/// Every option of `options` that `node` sets, in the order of the list. Sections that are switched off set nothing.
pub fn notes(node: &Node, options: &[NoEffect]) -> Vec<Note> {
    let set = |option: &NoEffect| {
        let reason = option.reason;
        let written = pattern::find(node, option.pattern).into_iter().filter(|found| !is_off(found.node));
        written.map(move |found| Note { at: found.node.place().clone(), path: found.path, reason }).collect::<Vec<_>>()
    };
    options.iter().flat_map(set).collect()
}

/// Written only to switch it off; from flags, variables and labels that is a text.
fn is_off(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Scalar(Scalar::Bool(false)) => true,
        Value::Scalar(Scalar::Text(text)) => boolean(text) == Some(false),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{NoEffect, notes};
    use crate::read::{Format, document};

    #[track_caller]
    fn check(yaml: &str, pattern: &'static str, expected: &[&str]) {
        let node = document(yaml, Format::Yaml, "f.yml").unwrap();
        let found = notes(&node, &[NoEffect { pattern, reason: "so it is" }]);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn finds_what_is_set() {
        check("a: {b: 1}", "a.b", &["f.yml:1:5: a.b has no effect: so it is"]);
        check("a: {x: {B: {}}}", "a.*.b", &["f.yml:1:9: a.x.B has no effect: so it is"]);
        check("a: [{b: 1}, {c: 1}]", "a.*.c", &["f.yml:1:14: a[1].c has no effect: so it is"]);
    }

    #[test]
    fn is_silent_about_what_is_not_set() {
        check("a: {b: false, c: , d: {}}", "a.b", &[]);
        check("a: {b: false, c: , d: {}}", "a.c", &[]);
        check("a: {b: 'false'}", "a.b", &[]);
        check("a: [1]", "a.b", &[]);
        check("b: 1", "a", &[]);
    }
}
