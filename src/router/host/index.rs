//! [`HostIndex`]: host → what may concern it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::expression::{HostExpression, behind_first_label};
use crate::substrings::Substrings;

/// What a rule asks of the host, as far as the index understands it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostKey {
    Any,
    /// The host, or its CNAME, or the host without its trailing dot, is this one.
    Name(Arc<str>),
    /// The same about what follows the first label.
    Wildcard(Arc<str>),
    /// This is somewhere in the host or in its CNAME.
    Part(Box<[u8]>),
}

impl From<&HostExpression> for HostKey {
    fn from(expression: &HostExpression) -> Self {
        match expression {
            HostExpression::Name(name) => Self::Name(name.clone()),
            HostExpression::Wildcard(rest) => Self::Wildcard(rest.clone()),
        }
    }
}

/// A value for each host that rules name, for each wildcard, and one for all hosts.
#[derive(Debug)]
pub(crate) struct HostIndex<T> {
    // Keys come from the configuration; clients can only look up.
    names: HashMap<Arc<str>, T, RandomState>,
    wildcards: HashMap<Arc<str>, T, RandomState>,
    parts: Option<Substrings<T>>,
    any: T,
}

impl<T> HostIndex<T> {
    /// Gathers the items of each key, in their order, and makes a value of them.
    pub(crate) fn build<I>(items: impl IntoIterator<Item = (HostKey, I)>, value: impl Fn(Vec<I>) -> T) -> Self {
        let mut names: HashMap<_, Vec<I>, RandomState> = HashMap::default();
        let mut wildcards: HashMap<_, Vec<I>, RandomState> = HashMap::default();
        let mut parts: BTreeMap<_, Vec<I>> = BTreeMap::new();
        let mut any = Vec::new();
        for (key, item) in items {
            match key {
                HostKey::Any => any.push(item),
                HostKey::Name(name) => names.entry(name).or_default().push(item),
                HostKey::Wildcard(rest) => wildcards.entry(rest).or_default().push(item),
                HostKey::Part(part) => parts.entry(part).or_default().push(item),
            }
        }
        Self {
            names: names.into_iter().map(|(name, items)| (name, value(items))).collect(),
            wildcards: wildcards.into_iter().map(|(rest, items)| (rest, value(items))).collect(),
            parts: Substrings::build(parts, &value),
            any: value(any),
        }
    }

    /// Hands over every value that may concern the host: the most specific first.
    pub(crate) fn visit(&self, host: &str, cname: Option<&str>, mut see: impl FnMut(&T)) {
        let names = [Some(host), host.strip_suffix('.'), cname];
        if !self.names.is_empty() {
            names.iter().flatten().filter_map(|name| self.names.get(*name)).for_each(&mut see);
        }
        if !self.wildcards.is_empty() {
            let rests = names.iter().flatten().map(|name| behind_first_label(name));
            rests.filter_map(|rest| self.wildcards.get(rest)).for_each(&mut see);
        }
        if let Some(parts) = &self.parts {
            for name in [Some(host), cname].into_iter().flatten() {
                if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
                    parts.visit(name, &mut see);
                } else {
                    // Of other names, patterns that ignore letter case may think otherwise than the keys.
                    parts.visit_all(&mut see);
                }
            }
        }
        see(&self.any);
    }
}
