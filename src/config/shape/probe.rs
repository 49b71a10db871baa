//! A deserializer that has no input: it notes what a model asks for and answers with stand-ins.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::Kind;
use crate::decode::handover;

/// A model that contains itself would be walked without end.
const MAX_DEPTH: usize = 24;

/// Walks a model. Returns the path of a value that refused its stand-in, or `None` when everything was seen.
pub(super) fn walk<T: DeserializeOwned>(
    options: &mut BTreeMap<String, Kind>,
    avoided: &BTreeSet<String>,
) -> Option<String> {
    let found = RefCell::new(std::mem::take(options));
    let result = T::deserialize(Probe { path: String::new(), depth: 0, found: &found, avoided });
    *options = found.into_inner();
    result.err().map(|refusal| refusal.0.unwrap_or_default())
}

/// The path of the value that was refused, once it is known.
#[derive(Debug)]
struct Refusal(Option<String>);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model refused a stand-in")
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(None)
    }
}

struct Probe<'a> {
    path: String,
    depth: usize,
    found: &'a RefCell<BTreeMap<String, Kind>>,
    avoided: &'a BTreeSet<String>,
}

impl Probe<'_> {
    fn note(&self, kind: Kind) {
        self.found.borrow_mut().insert(self.path.clone(), kind);
    }

    fn below(&self, step: &str) -> Self {
        let dot = if self.path.is_empty() || step.starts_with('[') { "" } else { "." };
        Self { path: format!("{}{dot}{step}", self.path), depth: self.depth + 1, ..*self }
    }

    fn descend<'de, S: DeserializeSeed<'de>>(&self, step: &str, seed: S) -> Result<S::Value, Refusal> {
        let child = self.below(step);
        let path = child.path.clone();
        if child.depth > MAX_DEPTH {
            return Err(Refusal(Some(path)));
        }
        seed.deserialize(child).map_err(|refusal| Refusal(refusal.0.or(Some(path))))
    }

    fn avoids(&self, step: &str) -> bool {
        self.avoided.contains(&self.below(step).path)
    }
}

macro_rules! scalars {
    ($($method:ident $kind:ident $visit:ident $value:expr,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            self.note(Kind::$kind);
            visitor.$visit($value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Refusal;

    scalars! {
        deserialize_bool Bool visit_bool false,
        deserialize_i8 Number visit_i8 0,
        deserialize_i16 Number visit_i16 0,
        deserialize_i32 Number visit_i32 0,
        deserialize_i64 Number visit_i64 0,
        deserialize_u8 Number visit_u8 0,
        deserialize_u16 Number visit_u16 0,
        deserialize_u32 Number visit_u32 0,
        deserialize_u64 Number visit_u64 0,
        deserialize_f32 Number visit_f32 0.0,
        deserialize_f64 Number visit_f64 0.0,
        deserialize_char Text visit_str "a",
        deserialize_str Text visit_str "",
        deserialize_string Text visit_str "",
        deserialize_bytes Text visit_str "",
        deserialize_byte_buf Text visit_str "",
        deserialize_identifier Text visit_str "",
        // Durations and their like, which take a number as well as a text.
        deserialize_any Text visit_i64 0,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refusal> {
        if name == handover::NODE {
            self.note(Kind::Any);
            handover::give_node(crate::Node::default());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.note(Kind::List);
        let left = usize::from(!self.avoids("[]"));
        visitor.visit_seq(One { probe: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.note(Kind::List);
        visitor.visit_seq(One { probe: self, left: len })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.note(Kind::Map);
        visitor.visit_map(Names { left: ["<name>"].iter(), current: "", probe: self })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.note(Kind::Section);
        visitor.visit_map(Names { left: fields.iter(), current: "", probe: self })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.note(Kind::Text);
        visitor.visit_enum(Word(variants.first().copied().unwrap_or_default()))
    }
}

/// As many items as are asked for.
struct One<'a> {
    probe: Probe<'a>,
    left: usize,
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refusal> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.probe.descend("[]", seed).map(Some)
    }
}

/// One entry per name.
struct Names<'a> {
    left: std::slice::Iter<'static, &'static str>,
    current: &'static str,
    probe: Probe<'a>,
}

impl<'de> MapAccess<'de> for Names<'_> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        let Some(name) = self.left.by_ref().find(|name| !self.probe.avoids(name)) else { return Ok(None) };
        self.current = name;
        let name: StrDeserializer<'_, Refusal> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        self.probe.descend(self.current, seed)
    }
}

/// The first word of a closed set.
struct Word(&'static str);

impl<'de> EnumAccess<'de> for Word {
    type Error = Refusal;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Refusal> {
        let name: StrDeserializer<'_, Refusal> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Refusal> {
        Err(Refusal(None))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Refusal> {
        Err(Refusal(None))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Refusal> {
        Err(Refusal(None))
    }
}
