//! [`HostIndex`]: host → what may concern it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::expression::{HostExpression, behind_first_label};

/// What a rule asks of the host, as far as the index understands it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostKey {
    Any,
    /// The host, or its CNAME, or the host without its trailing dot, is this one.
    Name(Box<str>),
    /// The same about what follows the first label.
    Wildcard(Box<str>),
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
    names: HashMap<Box<str>, T, RandomState>,
    wildcards: HashMap<Box<str>, T, RandomState>,
    any: T,
}

impl<T> HostIndex<T> {
    /// Gathers the items of each key, in their order, and makes a value of them.
    pub(crate) fn build<I>(items: impl IntoIterator<Item = (HostKey, I)>, value: impl Fn(Vec<I>) -> T) -> Self {
        let mut names: HashMap<_, Vec<I>> = HashMap::new();
        let mut wildcards: HashMap<_, Vec<I>> = HashMap::new();
        let mut any = Vec::new();
        for (key, item) in items {
            match key {
                HostKey::Any => any.push(item),
                HostKey::Name(name) => names.entry(name).or_default().push(item),
                HostKey::Wildcard(rest) => wildcards.entry(rest).or_default().push(item),
            }
        }
        Self {
            names: names.into_iter().map(|(name, items)| (name, value(items))).collect(),
            wildcards: wildcards.into_iter().map(|(rest, items)| (rest, value(items))).collect(),
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
        see(&self.any);
    }
}
