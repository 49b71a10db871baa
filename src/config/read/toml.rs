//! TOML, with the places that its parser gives.

use ::toml::Spanned;
use ::toml::de::{DeArray, DeTable, DeValue};

use super::position::Positions;
use super::yaml::number;
use super::{MAX_DEPTH, MAX_ERRORS, syntax};
use crate::{ConfigError, ConfigErrors, Node, Scalar, Value};

/// Reads a document, or says everything that is wrong with its notation. `file` is what its places are called.
pub fn read(text: &str, file: &str) -> Result<Node, ConfigErrors> {
    let positions = Positions::new(text, file);
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut errors: Vec<ConfigError> = errors
        .iter()
        .map(|error| syntax(positions.at(error.span().map_or(0, |span| span.start)), error.message()))
        .collect();
    let mut reader = Reader { positions, errors: Vec::new() };
    let at = reader.positions.at(0);
    let root = Node::new(reader.table(document.get_ref(), 1), at);
    errors.append(&mut reader.errors);
    errors.truncate(MAX_ERRORS);
    if errors.is_empty() { Ok(root) } else { Err(ConfigErrors(errors).sorted()) }
}

struct Reader<'a> {
    positions: Positions<'a>,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Value {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key_at = self.positions.at(key.span().start);
                    (key.get_ref().as_ref().into(), Node { key_at, ..self.value(value, depth) })
                })
                .collect(),
        )
    }

    fn array(&mut self, array: &DeArray<'_>, depth: usize) -> Value {
        Value::List(array.iter().map(|item| self.value(item, depth)).collect())
    }

    fn value(&mut self, spanned: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let at = self.positions.at(spanned.span().start);
        if depth > MAX_DEPTH {
            self.errors.push(syntax(at.clone(), format!("nested deeper than {MAX_DEPTH} levels")));
            return Node::new(Value::Null, at);
        }
        let value = match spanned.get_ref() {
            DeValue::String(text) => Value::Scalar(Scalar::Text(text.as_ref().into())),
            DeValue::Boolean(value) => Value::Scalar(Scalar::Bool(*value)),
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(value) => Value::Scalar(Scalar::Int(value)),
                Err(_) => Value::Scalar(Scalar::Text(integer.as_str().into())),
            },
            DeValue::Float(float) => {
                let text = float.as_str();
                Value::Scalar(number(text).unwrap_or_else(|| Scalar::Text(text.into())))
            }
            DeValue::Datetime(time) => Value::Scalar(Scalar::Text(time.to_string().into())),
            DeValue::Array(array) => self.array(array, depth + 1),
            DeValue::Table(table) => self.table(table, depth + 1),
        };
        Node::new(value, at)
    }
}

#[cfg(test)]
mod tests;
