//! A [`Node`] inside a typed model: the subtree as it was written, places included.

use std::fmt;
use std::sync::Arc;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Node, Scalar, Value};
use crate::Origin;
use crate::decode::handover;

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Scalar(Scalar::Bool(value)) => serializer.serialize_bool(*value),
            Value::Scalar(Scalar::Int(value)) => serializer.serialize_i64(*value),
            Value::Scalar(Scalar::Float(value)) => serializer.serialize_f64(*value),
            Value::Scalar(Scalar::Text(value)) => serializer.serialize_str(value),
            Value::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, node) in entries {
                    map.serialize_entry(&**key, node)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(handover::NODE, NodeVisitor)
    }
}

/// Takes the subtree that our own decoder hands over, or builds one from whatever another format brings.
struct NodeVisitor;

impl NodeVisitor {
    fn made(value: Value) -> Node {
        Node::new(value, Origin::Unknown)
    }
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        match handover::take_node() {
            Some(node) => Ok(node),
            None => deserializer.deserialize_any(self),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Self::made(Value::Null))
    }
    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Self::made(Value::Null))
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Self::made(Value::Scalar(Scalar::Bool(value))))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Self::made(Value::Scalar(Scalar::Int(value))))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Self::made(Value::Scalar(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Int))))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Self::made(Value::Scalar(Scalar::Float(value))))
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Self::made(Value::Scalar(Scalar::Text(value.into()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Self::made(Value::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(Arc<str>, Node)> = Vec::new();
        while let Some((key, node)) = map.next_entry::<String, Node>()? {
            entries.push((key.into(), node));
        }
        Ok(Self::made(Value::Map(entries)))
    }
}
