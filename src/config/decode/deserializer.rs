//! serde's `Deserializer` over one [`Node`].

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor};

use super::access::{Entries, Fields, Items};
use super::context::{Context, NodeId};
use super::error::DecodeError;
use super::{handover, scalar};
use crate::suggest::nearest;
use crate::{Node, Problem, Scalar, Value};

/// One node, or one text out of a node that holds several with commas between them.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) node: &'a Node,
    pub(super) part: Option<&'a str>,
    pub(super) context: &'a Context,
}

/// What a place for a section holds.
enum Section<'a> {
    Map(&'a [(std::sync::Arc<str>, Node)]),
    /// Written as nothing, as empty text or as `true`: all defaults.
    Defaults,
    Refused,
}

impl<'a> Reader<'a> {
    pub(super) fn new(node: &'a Node, context: &'a Context) -> Self {
        Self { node, part: None, context }
    }

    /// The text of a scalar; numbers and booleans as they are written.
    fn text(&self) -> Option<std::borrow::Cow<'a, str>> {
        if let Some(part) = self.part {
            return Some(part.into());
        }
        match &self.node.value {
            Value::Scalar(Scalar::Text(text)) => Some((&**text).into()),
            Value::Scalar(scalar) => Some(scalar.to_string().into()),
            Value::Null => Some("".into()),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    fn note(&self, problem: Problem) {
        self.context.note(self.node, &self.node.at, problem);
    }

    fn note_bad(&self, expected: &str) {
        let found = self.part.map_or_else(|| scalar::shown(self.node), scalar::quoted);
        self.note(Problem::BadValue { found, expected: expected.to_owned(), nearest: None });
    }

    fn integer(&self, low: i128, high: i128) -> i128 {
        let found = match (&self.node.value, self.part) {
            (Value::Scalar(Scalar::Int(value)), None) => Some(i128::from(*value)),
            (Value::Scalar(Scalar::Float(value)), None) => scalar::whole(*value),
            (Value::Scalar(Scalar::Bool(_)), None) => None,
            _ => self.text().and_then(|text| scalar::as_integer(&text, &self.node.at)),
        };
        match found {
            Some(value) if (low..=high).contains(&value) => return value,
            Some(_) if high > i128::from(u32::MAX) && low == 0 => self.note_bad("a number of 0 or more"),
            Some(_) => self.note_bad(&format!("a number from {low} to {high}")),
            None => self.note_bad("a whole number"),
        }
        0
    }

    fn float(&self) -> f64 {
        if let (Value::Scalar(Scalar::Float(value)), None) = (&self.node.value, self.part) {
            return *value;
        }
        self.text().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            self.note_bad("a number");
            0.0
        })
    }

    fn section(&self) -> Section<'a> {
        if self.part.is_some() {
            self.note_bad("a section");
            return Section::Refused;
        }
        let off = match &self.node.value {
            Value::Map(entries) => return Section::Map(entries),
            Value::Null => return Section::Defaults,
            Value::Scalar(Scalar::Bool(on)) => !on,
            Value::Scalar(Scalar::Text(text)) if text.is_empty() || text.eq_ignore_ascii_case("true") => false,
            // Traefik switches a section on by `true` only; `1` and `yes` are off like `0` and `no`.
            Value::Scalar(scalar) if scalar::is_boolean_word(&scalar.to_string()) => true,
            Value::Scalar(_) | Value::List(_) => {
                self.note_bad("a section (settings below it, or true for its defaults)");
                return Section::Refused;
            }
        };
        if off && NodeId::of(self.node) == self.context.root {
            self.note_bad("a section (settings below it, or true for its defaults)");
        } else if off {
            self.context.switched_off.borrow_mut().push(NodeId::of(self.node));
        }
        Section::Defaults
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $kind:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let value = self.integer(i128::from(<$kind>::MIN), i128::from(<$kind>::MAX));
            visitor.$visit(<$kind>::try_from(value).expect("integer() keeps to the bounds it was given"))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(part) = self.part {
            return visitor.visit_str(part);
        }
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(Scalar::Bool(value)) => visitor.visit_bool(*value),
            Value::Scalar(Scalar::Int(value)) => visitor.visit_i64(*value),
            Value::Scalar(Scalar::Float(value)) => visitor.visit_f64(*value),
            Value::Scalar(Scalar::Text(text)) => visitor.visit_str(text),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let value = self.text().and_then(|text| scalar::as_bool(&text, &self.node.at)).unwrap_or_else(|| {
            self.note_bad("true or false");
            false
        });
        visitor.visit_bool(value)
    }

    integers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_f64(self.float())
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_f64(self.float())
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(text) = self.text() {
            visitor.visit_str(&text)
        } else {
            self.note_bad("a text");
            visitor.visit_str("")
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.part.is_none() && matches!(self.node.value, Value::Null) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match name {
            handover::AT => {
                let section = matches!(self.node.value, Value::Map(_) | Value::List(_));
                handover::give_place(if section { self.node.place() } else { &self.node.at }.clone());
            }
            handover::NODE => handover::give_node(match self.part {
                Some(part) => Node::text(part, self.node.at.clone()),
                None => self.node.clone(),
            }),
            _ => {}
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let (Value::Map(entries), None) = (&self.node.value, self.part)
            && !entries.iter().all(|(key, _)| is_index(key))
        {
            self.note_bad("a list");
            return visitor.visit_seq(Items::none());
        }
        visitor.visit_seq(Items::of(self))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let entries = match self.section() {
            Section::Map(entries) => entries,
            Section::Defaults | Section::Refused => &[],
        };
        visitor.visit_map(Entries::new(entries, self.context))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let entries = match self.section() {
            Section::Map(entries) => entries,
            Section::Defaults | Section::Refused => &[],
        };
        visitor.visit_map(Fields::new(entries, fields, self.context))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let Some(text) = self.text() else {
            self.note_bad(&format!("one of {}", variants.join(", ")));
            let first = variants.first().copied().unwrap_or_default();
            return visitor.visit_enum(Variant { name: first, reader: self });
        };
        let name = variants.iter().find(|name| name.eq_ignore_ascii_case(&text)).copied();
        if name.is_none() {
            self.note(Problem::BadValue {
                found: scalar::quoted(&text),
                expected: format!("one of {}", variants.join(", ")),
                nearest: nearest(&text, variants.iter().copied()).map(str::to_owned),
            });
        }
        let name = name.or_else(|| variants.first().copied()).unwrap_or_default();
        visitor.visit_enum(Variant { name, reader: self })
    }
}

/// `0` or `[0]`: how labels, keys and variables write a place in a list.
pub(super) fn is_index(key: &str) -> bool {
    let digits = key.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(key);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A word out of a closed set.
struct Variant<'a> {
    name: &'static str,
    reader: Reader<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = DecodeError;
    type Variant = Reader<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Reader<'a>), DecodeError> {
        let name: StrDeserializer<'_, DecodeError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.reader))
    }
}

impl<'de> VariantAccess<'de> for Reader<'_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, DecodeError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_struct("", fields, visitor)
    }
}
