//! Options that are understood but have no effect: nobody should believe that they do.
//!
//! Whoever owns a part of the language lists such options as [`NoEffect`] patterns; what a document really sets of
//! them is found here, with its place.

use std::fmt;

use crate::{Node, Origin, Scalar, Value};

/// An option without effect, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEffect {
    /// Dotted path; `*` stands for any one name, `[]` for any item of a list: `http.routers.*.ruleSyntax`.
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
    let mut found = Vec::new();
    for option in options {
        find(node, option.pattern, &mut String::new(), &mut |node, path| {
            found.push(Note { at: node.place().clone(), path: path.to_owned(), reason: option.reason });
        });
    }
    found
}

/// Calls `visit` with every node at `pattern`, and its path.
fn find(node: &Node, pattern: &str, path: &mut String, visit: &mut impl FnMut(&Node, &str)) {
    if pattern.is_empty() {
        if !matches!(node.value, Value::Null | Value::Scalar(Scalar::Bool(false))) {
            visit(node, path);
        }
        return;
    }
    let (step, rest) = match pattern.strip_prefix("[]") {
        Some(rest) => ("[]", rest),
        None => pattern.split_at(pattern.find(['.', '[']).unwrap_or(pattern.len())),
    };
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let length = path.len();
    match &node.value {
        Value::List(items) if step == "[]" => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                find(item, rest, path, visit);
                path.truncate(length);
            }
        }
        Value::Map(entries) if step != "[]" => {
            for (key, child) in entries.iter().filter(|(key, _)| step == "*" || key.eq_ignore_ascii_case(step)) {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                find(child, rest, path, visit);
                path.truncate(length);
            }
        }
        _ => {}
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
        check("a: [{b: 1}, {c: 1}]", "a[].c", &["f.yml:1:14: a[1].c has no effect: so it is"]);
    }

    #[test]
    fn is_silent_about_what_is_not_set() {
        check("a: {b: false, c: , d: {}}", "a.b", &[]);
        check("a: {b: false, c: , d: {}}", "a.c", &[]);
        check("a: [1]", "a.b", &[]);
        check("b: 1", "a", &[]);
    }
}
