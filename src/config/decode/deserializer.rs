//! serde's `Deserializer` over one [`Node`].

use serde::de::{Deserializer, Visitor};

use super::access::{Entries, Fields, Items};
use super::error::DecodeError;
use super::reader::{Reader, is_index};
use super::variant::Variant;
use super::{handover, scalar};
use crate::suggest::nearest;
use crate::{Node, Problem, Scalar, Value};

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
        visitor.visit_map(Entries::new(self.section(), self.context))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_map(Fields::new(self.section(), fields, self.context))
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
