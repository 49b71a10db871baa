//! From many pairs of a path and a text to one tree: what labels, keys, flags and variables have in common.

use std::collections::HashMap;
use std::sync::Arc;

use super::{MAX_DEPTH, syntax};
use crate::decode::scalar::boolean;
use crate::{ConfigErrors, Node, Origin, Value};

/// A tree that grows pair by pair. Names are one whatever their case; the first spelling stays.
#[derive(Default)]
pub(super) struct Tree {
    name: Arc<str>,
    at: Origin,
    text: Option<Node>,
    children: Vec<Tree>,
    places: HashMap<String, usize>,
}

impl Tree {
    /// Sets the text at the end of `path`, over what was there. The path must have passed [`steps`].
    pub(super) fn insert<'p>(&mut self, path: impl IntoIterator<Item = &'p str>, text: &str, at: &Origin) {
        self.leaf(path, at).text = Some(Node::text(text, at.clone()));
    }

    /// Makes sure that there is something at the end of `path`, if only an empty section.
    pub(super) fn open<'p>(&mut self, path: impl IntoIterator<Item = &'p str>, at: &Origin) {
        self.leaf(path, at);
    }

    /// The text at the end of `path`, if it was set.
    pub(super) fn text_at<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<&Node> {
        let mut here = self;
        for step in path {
            here = &here.children[*here.places.get(&step.to_ascii_lowercase())?];
        }
        here.text.as_ref()
    }

    fn leaf<'p>(&mut self, path: impl IntoIterator<Item = &'p str>, at: &Origin) -> &mut Self {
        let mut here = self;
        for step in path {
            let children = &mut here.children;
            let place = *here.places.entry(step.to_ascii_lowercase()).or_insert_with(|| {
                children.push(Self { name: step.into(), at: at.clone(), ..Self::default() });
                children.len() - 1
            });
            here = &mut children[place];
        }
        here
    }

    /// A section that is `false` is off whatever stands below it; else what stands below counts.
    pub(super) fn into_node(self) -> Node {
        let off = self.text.as_ref().is_some_and(|node| is_false(&node.value));
        if off || self.children.is_empty() {
            return self.text.unwrap_or_else(|| Node::new(Value::Map(Vec::new()), self.at));
        }
        if !self.children.iter().all(|child| child.name.starts_with('[')) {
            let entries = self.children.into_iter().map(|child| (Arc::clone(&child.name), child.into_node()));
            return Node::new(Value::Map(entries.collect()), self.at);
        }
        let mut items = self.children;
        items.sort_by_key(|item| item.name.trim_matches(['[', ']']).parse().unwrap_or(u64::MAX));
        Node::new(Value::List(items.into_iter().map(Self::into_node).collect()), self.at)
    }
}

fn is_false(value: &Value) -> bool {
    matches!(value, Value::Scalar(crate::Scalar::Text(text)) if boolean(text) == Some(false))
}

/// Splits a dotted name into its steps; `domains[0]` is two of them.
pub(super) fn steps<'n>(name: &'n str, at: &Origin) -> Result<Vec<&'n str>, ConfigErrors> {
    let wrong = |message: String| ConfigErrors::from(syntax(at.clone(), message));
    let mut steps = Vec::new();
    for part in name.split('.') {
        if part.is_empty() {
            return Err(wrong(format!("invalid element: {name} has two dots in a row, or one at its end")));
        }
        match part.strip_suffix(']').and_then(|_| part.find('[')) {
            Some(0) => return Err(wrong(format!("{part} is an index without the name of a list before it"))),
            Some(bracket) => steps.extend([&part[..bracket], &part[bracket..]]),
            None if part.contains(['[', ']']) => {
                return Err(wrong(format!("{part} should end in an index such as [0]")));
            }
            None => steps.push(part),
        }
    }
    if steps.len() > MAX_DEPTH {
        return Err(wrong(format!("nested deeper than {MAX_DEPTH} levels")));
    }
    Ok(steps)
}
