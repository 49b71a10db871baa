//! From parser events to nodes: anchors, aliases, merge keys, duplicate keys, bounds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_yaml::granit_parser::{Event, Span};

use super::scalar;
use crate::read::{MAX_DEPTH, MAX_ERRORS, MAX_NODES, syntax};
use crate::{ConfigError, ConfigErrors, Node, Origin, Scalar, Value};

/// A collection that has begun and not yet ended.
struct Open {
    at: Origin,
    anchor: usize,
    /// Stands where a key should; it is read to its end and dropped.
    as_key: bool,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<(Arc<str>, Node)>,
    /// The names of the entries, once there are too many to look through.
    names: HashSet<Arc<str>>,
    /// The key whose value comes next.
    key: Option<(Key, Origin)>,
    /// What `<<` brings; added at the end where it does not collide.
    merged: Vec<(Arc<str>, Node)>,
}

enum Key {
    Name(Arc<str>),
    Merge,
    /// Refused already; its value is dropped.
    Bad,
}

/// What an alias stands for.
struct Anchored {
    node: Node,
    size: usize,
    depth: usize,
}

pub(super) struct Builder {
    file: Arc<str>,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    full: bool,
    errors: Vec<ConfigError>,
}

impl Builder {
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.into(),
            open: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            nodes: 0,
            full: false,
            errors: Vec::new(),
        }
    }

    pub(super) fn refuse(&mut self, at: Origin, message: impl Into<String>) {
        self.errors.push(syntax(at, message));
        self.full |= self.errors.len() >= MAX_ERRORS;
    }

    /// A bound was passed: nothing more is read.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn finish(self) -> Result<Node, ConfigErrors> {
        if self.errors.is_empty() {
            let start = Origin::File { file: self.file, line: 1, column: 1 };
            return Ok(self.root.unwrap_or_else(|| Node::new(Value::Null, start)));
        }
        Err(ConfigErrors(self.errors).sorted())
    }

    pub(super) fn event(&mut self, event: Event<'_>, span: &Span) {
        let at = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let key_map = self.map_without_key().is_some();
                // A quoted or tagged `<<` is a name like any other.
                let merge = key_map && text == "<<" && span.len() == 2;
                let value = match scalar::resolve(&text, style, tag.as_deref()) {
                    // As in Traefik, no name reaches what an unquoted boolean names.
                    Value::Scalar(Scalar::Bool(_)) if key_map => text_of(BOOLEAN_KEY),
                    _ if key_map => text_of(&text),
                    value => value,
                };
                let node = Node::new(value, at);
                self.remember(anchor, &node);
                self.put(node, merge);
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at, anchor, Inside::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => self.begin(at, anchor, Inside::Map(OpenMap::default())),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(id) => self.alias(id, at),
            Event::UnresolvedAlias(name) => {
                self.refuse(at.clone(), format!("the alias *{name} has no anchor &{name} before it"));
                self.put(Node::new(Value::Null, at), false);
            }
            _ => {}
        }
    }

    fn place(&self, span: &Span) -> Origin {
        let (line, column) = (span.start.line() as u32, span.start.col() as u32 + 1);
        Origin::File { file: Arc::clone(&self.file), line, column }
    }

    /// The innermost collection, if it is a map that waits for a key.
    fn map_without_key(&mut self) -> Option<&mut OpenMap> {
        match self.open.last_mut() {
            Some(Open { inside: Inside::Map(map), .. }) if map.key.is_none() => Some(map),
            _ => None,
        }
    }

    fn begin(&mut self, at: Origin, anchor: usize, inside: Inside) {
        if self.open.len() >= MAX_DEPTH {
            self.full = true;
            return self.refuse(at, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let as_key = self.map_without_key().is_some();
        if as_key {
            self.refuse(at.clone(), "a key must be a text; quote values that begin with { or [");
        }
        self.open.push(Open { at, anchor, as_key, inside });
    }

    fn end(&mut self) {
        let Some(Open { at, anchor, as_key, inside }) = self.open.pop() else { return };
        let value = match inside {
            Inside::List(items) => Value::List(items),
            Inside::Map(map) => Value::Map(map.complete()),
        };
        let node = Node::new(value, at);
        self.remember(anchor, &node);
        if !as_key {
            return self.put(node, false);
        }
        if let Some(map) = self.map_without_key() {
            map.key = Some((Key::Bad, node.at));
        }
    }

    fn remember(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            let anchored = Anchored { size: node.size(), depth: depth(node), node: node.clone() };
            self.nodes += anchored.size;
            self.anchors.insert(anchor, anchored);
        }
    }

    fn alias(&mut self, id: usize, at: Origin) {
        let Some(anchored) = self.anchors.get(&id) else {
            self.refuse(at.clone(), "an alias stands inside of what it names");
            return self.put(Node::new(Value::Null, at), false);
        };
        self.nodes += anchored.size;
        if self.nodes > MAX_NODES || self.open.len() + anchored.depth > MAX_DEPTH {
            self.full = true;
            return self.refuse(at, "aliases make this document too large");
        }
        // What the alias brings keeps the place where it was written, so that its errors lead there.
        let node = anchored.node.clone();
        self.put(node, false);
    }

    /// A node is complete: it is a key, a value, an item or the document.
    fn put(&mut self, node: Node, merge: bool) {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.full = true;
            return self.refuse(node.at, format!("the document has more than {MAX_NODES} parts"));
        }
        let refused = match self.open.last_mut() {
            None => {
                self.root = Some(node);
                Ok(())
            }
            Some(Open { inside: Inside::List(items), .. }) => {
                items.push(node);
                Ok(())
            }
            Some(Open { inside: Inside::Map(map), .. }) => match map.key.take() {
                None => map.begin_entry(&node, merge),
                Some((Key::Bad, _)) => Ok(()),
                Some((Key::Merge, at)) => map.merge(node).map_err(|message| (at, message)),
                Some((Key::Name(name), key_at)) => {
                    map.entries.push((name, Node { key_at, ..node }));
                    Ok(())
                }
            },
        };
        if let Err((at, message)) = refused {
            self.refuse(at, message);
        }
    }
}

impl OpenMap {
    fn begin_entry(&mut self, key: &Node, merge: bool) -> Result<(), (Origin, String)> {
        let Value::Scalar(scalar) = &key.value else {
            self.key = Some((Key::Bad, key.at.clone()));
            return Err((key.at.clone(), "a key must be a text".into()));
        };
        if merge {
            self.key = Some((Key::Merge, key.at.clone()));
            return Ok(());
        }
        let name: Arc<str> = match scalar {
            Scalar::Text(text) => Arc::clone(text),
            other => other.to_string().into(),
        };
        // `true` and `false` are two keys, even though they get one name.
        if let Some(earlier) = self.line_of(&name).filter(|_| &*name != BOOLEAN_KEY) {
            self.key = Some((Key::Bad, key.at.clone()));
            return Err((key.at.clone(), format!("the key {name} is written twice; the first is on line {earlier}")));
        }
        self.key = Some((Key::Name(name), key.at.clone()));
        Ok(())
    }

    /// The line of an entry of this name.
    fn line_of(&mut self, name: &str) -> Option<u32> {
        const FEW: usize = 16;
        if self.entries.len() > FEW {
            let unlisted = self.names.len()..self.entries.len();
            self.names.extend(self.entries[unlisted].iter().map(|(known, _)| Arc::clone(known)));
            if !self.names.contains(name) {
                return None;
            }
        }
        let (_, node) = self.entries.iter().find(|(known, _)| &**known == name)?;
        if let Origin::File { line, .. } = node.key_at { Some(line) } else { None }
    }

    /// Takes a map or a list of maps; the earlier ones win.
    fn merge(&mut self, node: Node) -> Result<(), String> {
        match node.value {
            Value::Map(entries) => self.merged.extend(entries),
            Value::List(maps) => {
                for map in maps {
                    let Value::Map(entries) = map.value else { return Err(NOT_MERGEABLE.into()) };
                    self.merged.extend(entries);
                }
            }
            _ => return Err(NOT_MERGEABLE.into()),
        }
        Ok(())
    }

    fn complete(self) -> Vec<(Arc<str>, Node)> {
        let mut entries = self.entries;
        if self.merged.is_empty() {
            return entries;
        }
        let mut known: HashSet<Arc<str>> = entries.iter().map(|(name, _)| Arc::clone(name)).collect();
        entries.extend(self.merged.into_iter().filter(|(key, _)| known.insert(Arc::clone(key))));
        entries
    }
}

const NOT_MERGEABLE: &str = "<< takes a map or a list of maps";

/// How Go's reflection prints a key that is `true` or `false`; the name is taken from there so that APIs agree.
const BOOLEAN_KEY: &str = "<bool Value>";

fn text_of(text: &str) -> Value {
    Value::Scalar(Scalar::Text(text.into()))
}

fn depth(node: &Node) -> usize {
    let deepest = match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::List(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => entries.iter().map(|(_, node)| depth(node)).max().unwrap_or(0),
    };
    1 + deepest
}
