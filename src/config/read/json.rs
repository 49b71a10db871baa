//! JSON, read by a parser of our own since no other says where each value stands. Strict, but for a key written twice,
//! which is an error here as it is in YAML.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use super::position::Positions;
use super::{MAX_DEPTH, MAX_NODES, syntax};
use crate::{ConfigErrors, Node, Scalar, Value};

/// Reads a document. `file` is what its places are called.
pub fn read(text: &str, file: &str) -> Result<Node, ConfigErrors> {
    let mut reader = Reader { text, at: 0, nodes: 0, positions: Positions::new(text, file) };
    let node = reader.value(1)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.wrong(reader.at, "the end of the document was expected here"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
    positions: Positions<'a>,
}

impl Reader<'_> {
    fn wrong(&self, at: usize, message: impl Into<String>) -> ConfigErrors {
        syntax(self.positions.at(at), message).into()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, ConfigErrors> {
        self.space();
        let start = self.at;
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.wrong(start, format!("the document has more than {MAX_NODES} parts")));
        }
        if depth > MAX_DEPTH {
            return Err(self.wrong(start, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let at = self.positions.at(start);
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::Scalar(Scalar::Text(self.string()?.into())),
            Some(_) => self.word()?,
            None => return Err(self.wrong(start, "a value is missing at the end of the document")),
        };
        Ok(Node::new(value, at))
    }

    fn object(&mut self, depth: usize) -> Result<Value, ConfigErrors> {
        self.at += 1;
        let mut entries: Vec<(Arc<str>, Node)> = Vec::new();
        let mut keys: HashSet<Arc<str>> = HashSet::new();
        if self.take(b'}') {
            return Ok(Value::Map(entries));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.wrong(start, "a key in double quotes was expected here"));
            }
            let key_at = self.positions.at(start);
            let key: Arc<str> = self.string()?.into();
            if !keys.insert(Arc::clone(&key)) {
                return Err(self.wrong(start, format!("the key {key} is written twice")));
            }
            if !self.take(b':') {
                return Err(self.wrong(self.at, "a colon was expected here"));
            }
            let node = self.value(depth + 1)?;
            entries.push((key, Node { key_at, ..node }));
            if self.take(b'}') {
                return Ok(Value::Map(entries));
            }
            if !self.take(b',') {
                return Err(self.wrong(self.at, "a comma or } was expected here"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, ConfigErrors> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return Err(self.wrong(self.at, "a comma or ] was expected here"));
            }
        }
    }

    fn string(&mut self) -> Result<String, ConfigErrors> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.wrong(start, "a text has no closing quote")),
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map_err(|_| self.wrong(start, "a text holds a control character or a bad escape"))
    }

    /// A number or one of the three words.
    fn word(&mut self) -> Result<Value, ConfigErrors> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        Ok(match serde_json::from_str::<serde_json::Value>(word) {
            Ok(serde_json::Value::Null) => Value::Null,
            Ok(serde_json::Value::Bool(value)) => Value::Scalar(Scalar::Bool(value)),
            Ok(serde_json::Value::Number(number)) => Value::Scalar(match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Scalar::Int(value),
                (None, Some(value)) => Scalar::Float(value),
                (None, None) => Scalar::Text(word.into()),
            }),
            _ => return Err(self.wrong(start, "a value was expected here")),
        })
    }
}
