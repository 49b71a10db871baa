//! [`Substrings`]: text → the values of those keys that are somewhere in it.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;

/// All keys are looked for in one pass over the text, however many there are.
#[derive(Debug)]
pub(crate) struct Substrings<T> {
    automaton: AhoCorasick,
    /// In the order of the keys.
    values: Box<[T]>,
}

impl<T> Substrings<T> {
    /// Gathers the items of each key, in their order, and makes a value of them. None, if there are no keys.
    pub(crate) fn build<I>(items: BTreeMap<Box<[u8]>, Vec<I>>, value: impl Fn(Vec<I>) -> T) -> Option<Self> {
        if items.is_empty() {
            return None;
        }
        let automaton =
            AhoCorasick::new(items.keys()).expect("rules have far fewer bytes than an automaton has room for");
        Some(Self { automaton, values: items.into_values().map(value).collect() })
    }

    /// Hands over the value of each key in the text; a key that is there twice may come twice.
    pub(crate) fn visit(&self, text: &str, see: &mut impl FnMut(&T)) {
        for found in self.automaton.find_overlapping_iter(text) {
            see(&self.values[found.pattern().as_usize()]);
        }
    }

    /// Hands over every value.
    pub(crate) fn visit_all(&self, see: &mut impl FnMut(&T)) {
        self.values.iter().for_each(see);
    }
}
