//! Finds what was written at a path with wildcards, whatever the case it was written in.

use crate::{Node, Value};

/// Something that was written.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// As the user spelled it, items of lists as `[0]`.
    pub path: String,
    pub node: &'a Node,
}

/// Every node at `pattern`: words with dots between them, `*` for any one word or item of a list. In the order they
/// were written.
pub fn find<'a>(root: &'a Node, pattern: &str) -> Vec<Found<'a>> {
    let mut found = vec![Found { path: String::new(), node: root }];
    for word in pattern.split('.') {
        found = found.iter().flat_map(|parent| children(parent, word)).collect();
    }
    found
}

fn children<'a>(parent: &Found<'a>, word: &str) -> Vec<Found<'a>> {
    let fits = |key: &str| word == "*" || key.eq_ignore_ascii_case(word);
    let join = |key: &str| if parent.path.is_empty() { key.to_owned() } else { format!("{}.{key}", parent.path) };
    match &parent.node.value {
        Value::Map(entries) => {
            let fitting = entries.iter().filter(|(key, _)| fits(key));
            fitting.map(|(key, node)| Found { path: join(key), node }).collect()
        }
        Value::List(items) if word == "*" => {
            let item = |(index, node)| Found { path: format!("{}[{index}]", parent.path), node };
            items.iter().enumerate().map(item).collect()
        }
        _ => Vec::new(),
    }
}

/// `root` without the nodes at `pattern`; wildcards do not reach into lists.
pub fn without(root: &Node, pattern: &str) -> Node {
    let Value::Map(entries) = &root.value else { return root.clone() };
    let (word, rest) = pattern.split_once('.').map_or((pattern, None), |(word, rest)| (word, Some(rest)));
    let mut copy = root.clone();
    let kept = entries.iter().filter_map(|(key, node)| {
        let fits = word == "*" || key.eq_ignore_ascii_case(word);
        match rest {
            _ if !fits => Some((key.clone(), node.clone())),
            Some(rest) => Some((key.clone(), without(node, rest))),
            None => None,
        }
    });
    copy.value = Value::Map(kept.collect());
    copy
}
