//! A middleware as it was written: kinds and their undecoded settings.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Node;

/// A middleware: its kind and its settings, still undecoded. Traefik allows exactly one kind; writing none or
/// several is an error of that middleware, found when it is built, so all that were written are kept here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Middleware {
    pub kinds: Vec<(Box<str>, Node)>,
}

impl Serialize for Middleware {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.kinds.len()))?;
        for (kind, settings) in &self.kinds {
            map.serialize_entry(kind, settings)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Middleware {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KindsVisitor)
    }
}

struct KindsVisitor;

impl<'de> Visitor<'de> for KindsVisitor {
    type Value = Middleware;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a middleware: its kind and its settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Middleware, A::Error> {
        let mut kinds = Vec::new();
        while let Some((kind, settings)) = map.next_entry::<String, Node>()? {
            // `compress: false` is how an option that holds nothing is switched off.
            if !settings.is_off() {
                kinds.push((kind.into_boxed_str(), settings));
            }
        }
        Ok(Middleware { kinds })
    }
}
