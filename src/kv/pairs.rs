//! [`Pairs`]: everything below the root key, within a bound; and what it means.

use std::collections::BTreeMap;

use trafficcop_config::dynamic::{Configuration, document};
use trafficcop_config::read::kv::read;
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem, Value};

use crate::StoreError;

/// Keys and values together are not more than this.
pub const MAX_BYTES: usize = 64 << 20;

/// Keys with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    map: BTreeMap<String, Vec<u8>>,
    bytes: usize,
}

impl Pairs {
    pub fn put(&mut self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.remove(&key);
        self.bytes += key.len() + value.len();
        if self.bytes > MAX_BYTES {
            return Err(StoreError::TooLarge);
        }
        self.map.insert(key, value);
        Ok(())
    }

    pub fn remove(&mut self, key: &str) {
        if let Some(value) = self.map.remove(key) {
            self.bytes -= key.len() + value.len();
        }
    }

    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.map.get(key).map(Vec::as_slice)
    }

    /// In the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.map.iter().map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Of keys and values together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(crate) fn apply(&mut self, keys: Vec<(String, Option<Vec<u8>>)>) -> Result<(), StoreError> {
        for (key, value) in keys {
            match value {
                Some(value) => self.put(key, value)?,
                None => self.remove(&key),
            }
        }
        Ok(())
    }

    /// The configuration that the pairs below `root` are. Whole or not at all.
    pub fn configuration(&self, root: &str, store: &str) -> Result<Configuration, ConfigErrors> {
        decode(self.iter(), root, store)
    }
}

/// What these pairs are together.
pub(crate) fn decode<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a [u8])>,
    root: &str,
    store: &str,
) -> Result<Configuration, ConfigErrors> {
    let mut texts = Vec::with_capacity(pairs.size_hint().0);
    let mut errors = Vec::new();
    for (key, value) in pairs {
        match std::str::from_utf8(value) {
            Ok(text) => texts.push((key, text)),
            Err(_) if is_ours(key, root, store) => errors.push(not_text(key, store)),
            Err(_) => {}
        }
    }
    ConfigErrors(errors).into_result()?;
    read(texts, root, &document::SECTIONS, store)?.decode()
}

fn is_ours(key: &str, root: &str, store: &str) -> bool {
    let node = read([(key, "")], root, &document::SECTIONS, store);
    node.is_ok_and(|node| matches!(node.value, Value::Map(entries) if !entries.is_empty()))
}

fn not_text(key: &str, store: &str) -> ConfigError {
    let at = Origin::Key { store: store.into(), key: key.into() };
    ConfigError { at, path: String::new(), problem: Problem::Syntax { message: "the value is not UTF-8 text".into() } }
}
