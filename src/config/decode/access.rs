//! Steps from a node to its children: fields of a struct, entries of a map, items of a list.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::context::{Context, NodeId};
use super::error::DecodeError;
use super::reader::Reader;
use crate::suggest::nearest;
use crate::{Node, Problem, Scalar, Value};

/// Decodes a child one step further down, and gives its errors their place.
fn descend<'de, S: DeserializeSeed<'de>>(seed: S, child: Reader<'_>, step: &str) -> Result<S::Value, DecodeError> {
    let context = child.context;
    context.within(step, || seed.deserialize(child).map_err(|error| context.place(error, child.node)))
}

/// Whether a child counts: one that says nothing is as good as not written.
fn counts(node: &Node, context: &Context) -> bool {
    !matches!(node.value, Value::Null) && !context.left_out.contains(&NodeId::of(node))
}

/// The fields of a struct, under the names that the model gives them.
pub(super) struct Fields<'a> {
    left: std::vec::IntoIter<(&'static str, &'a str, &'a Node)>,
    current: Option<(&'a str, &'a Node)>,
    context: &'a Context,
}

impl<'a> Fields<'a> {
    pub(super) fn new(entries: &'a [(Arc<str>, Node)], known: &'static [&'static str], context: &'a Context) -> Self {
        let mut fields: Vec<(&'static str, &'a str, &'a Node)> = Vec::with_capacity(entries.len());
        for (key, node) in entries.iter().filter(|(_, node)| counts(node, context)) {
            match known.iter().find(|name| name.eq_ignore_ascii_case(key)) {
                // Written twice in different cases: as in Traefik the last in the order of the alphabet counts.
                Some(name) => match fields.iter_mut().find(|(given, ..)| given == name) {
                    Some(earlier) if earlier.1 < &**key => *earlier = (name, key, node),
                    Some(_) => {}
                    None => fields.push((name, key, node)),
                },
                None => context.within(key, || context.note(node, node.place(), unknown(key, known))),
            }
        }
        Self { left: fields.into_iter(), current: None, context }
    }
}

fn unknown(key: &str, known: &[&str]) -> Problem {
    let nearest = nearest(key, known.iter().copied()).map(str::to_owned);
    Problem::UnknownField { field: key.to_owned(), nearest }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some((name, key, node)) = self.left.next() else { return Ok(None) };
        self.current = Some((key, node));
        let name: StrDeserializer<'_, DecodeError> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let (key, node) = self.current.take().expect("serde asks for a key before its value");
        descend(seed, Reader::new(node, self.context), key)
    }
}

/// The entries of a map, under the names that were written.
pub(super) struct Entries<'a> {
    left: std::slice::Iter<'a, (Arc<str>, Node)>,
    current: Option<(&'a str, &'a Node)>,
    context: &'a Context,
}

impl<'a> Entries<'a> {
    pub(super) fn new(entries: &'a [(Arc<str>, Node)], context: &'a Context) -> Self {
        Self { left: entries.iter(), current: None, context }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let context = self.context;
        let Some((key, node)) = self.left.find(|(_, node)| counts(node, context)) else { return Ok(None) };
        self.current = Some((key, node));
        let name: StrDeserializer<'_, DecodeError> = (&**key).into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| context.within(key, || context.place(error, node)))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let (key, node) = self.current.take().expect("serde asks for a key before its value");
        descend(seed, Reader::new(node, self.context), key)
    }
}

/// The items of a list, also of one written as text with commas or as a map with numbers for keys.
pub(super) struct Items<'a> {
    items: std::vec::IntoIter<(Cow<'a, str>, Reader<'a>)>,
}

impl<'a> Items<'a> {
    pub(super) fn none() -> Self {
        Self { items: Vec::new().into_iter() }
    }

    pub(super) fn of(list: Reader<'a>) -> Self {
        let Reader { node, context, part } = list;
        let items: Vec<(Cow<'a, str>, Reader<'a>)> = match &node.value {
            _ if part.is_some() => vec![("[0]".into(), list)],
            Value::Null => Vec::new(),
            Value::Scalar(Scalar::Text(text)) if text.is_empty() => Vec::new(),
            Value::Scalar(Scalar::Text(text)) => {
                let part = |(index, part): (usize, &'a str)| {
                    (format!("[{index}]").into(), Reader { part: Some(part.trim()), ..list })
                };
                text.split(',').enumerate().map(part).collect()
            }
            Value::Scalar(_) => vec![("[0]".into(), list)],
            Value::List(items) => {
                let item = |(index, item)| (format!("[{index}]").into(), Reader::new(item, context));
                items.iter().enumerate().filter(|(_, item)| counts(item, context)).map(item).collect()
            }
            Value::Map(entries) => entries
                .iter()
                .filter(|(_, item)| counts(item, context))
                .map(|(key, item)| {
                    let step = if key.starts_with('[') { Cow::Borrowed(&**key) } else { format!("[{key}]").into() };
                    (step, Reader::new(item, context))
                })
                .collect(),
        };
        Self { items: items.into_iter() }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let Some((step, item)) = self.items.next() else { return Ok(None) };
        descend(seed, item, &step).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}
