//! What must at least be true of host and path for a rule to hold: the part of a rule that the index understands.
//!
//! What must hold: a rule that holds for a request has an anchor that holds too. The reverse is not needed, because the
//! whole rule is asked afterwards.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::HttpRule;
use super::matcher::HttpMatcher;
use crate::host::index::HostKey;
use crate::pattern::{OneOf, shortest};
use crate::rule::Rule;

/// The most anchors that are kept of one rule; beyond, less specific ones serve.
const MAX_ANCHORS: usize = 256;

/// Of fewer patterns than this, all are tried.
const MIN_PATTERNS: usize = 4;

/// One way in which a rule can come to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) host: HostKey,
    pub(super) path: PathKey,
}

/// What a rule asks of the path, as far as the index understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathKey {
    Any,
    Exact(Arc<str>),
    Prefix(Arc<str>),
    /// This is somewhere in the path.
    Part(Box<[u8]>),
}

const ANYTHING: Anchor = Anchor { host: HostKey::Any, path: PathKey::Any };

/// The anchors of a rule without patterns, which are the same in every table; None when it has patterns.
pub(super) fn fixed(rule: &Rule<HttpMatcher>) -> Option<Box<[Anchor]>> {
    let mut is_fixed = true;
    rule.each(&mut |matcher| is_fixed &= !has_pattern(matcher));
    is_fixed.then(|| Anchors::default().find(rule).into())
}

/// A pattern that is looked up by a text within it.
fn has_pattern(matcher: &HttpMatcher) -> bool {
    use HttpMatcher::{HostRegexp, HostTemplate, PathRegexp};
    matches!(matcher, HostRegexp { .. } | HostTemplate(_) | PathRegexp { .. })
}

/// The anchors of all rules of a table. Which text of a pattern is looked for depends on how many patterns share it.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    host_parts: HashMap<Box<[u8]>, u32>,
    path_parts: HashMap<Box<[u8]>, u32>,
}

impl Anchors {
    pub(super) fn of_all<'a>(rules: impl IntoIterator<Item = &'a HttpRule>) -> Self {
        let mut anchors = Self::default();
        for rule in rules.into_iter().filter(|rule| rule.anchors.is_none()) {
            rule.rule.each(&mut |matcher| {
                let (counts, parts) = match matcher {
                    HttpMatcher::HostRegexp { pattern, .. } | HttpMatcher::HostTemplate(pattern) => {
                        (&mut anchors.host_parts, pattern.parts(true))
                    }
                    HttpMatcher::PathRegexp { pattern, .. } => (&mut anchors.path_parts, pattern.parts(false)),
                    _ => return,
                };
                for text in parts.into_iter().flatten() {
                    *counts.entry(text).or_default() += 1;
                }
            });
        }
        for counts in [&mut anchors.host_parts, &mut anchors.path_parts] {
            if counts.len() < MIN_PATTERNS {
                counts.clear();
            }
        }
        anchors
    }

    /// The anchors of one of the rules; none when it can never hold.
    pub(super) fn of<'a>(&self, rule: &'a HttpRule) -> Cow<'a, [Anchor]> {
        rule.anchors.as_deref().map_or_else(|| Cow::Owned(self.find(&rule.rule)), Cow::Borrowed)
    }

    fn find(&self, rule: &Rule<HttpMatcher>) -> Vec<Anchor> {
        match rule {
            Rule::Is(matcher) => self.of_matcher(matcher),
            // A negation says what must not be: nothing to look up.
            Rule::Not(_) => vec![ANYTHING],
            Rule::Any(rules) => {
                let mut found: Vec<Anchor> = Vec::new();
                for anchor in rules.iter().flat_map(|rule| self.find(rule)) {
                    if anchor == ANYTHING {
                        return vec![ANYTHING];
                    }
                    found.push(anchor);
                }
                found
            }
            Rule::All(rules) => rules.iter().map(|rule| self.find(rule)).fold(vec![ANYTHING], both),
        }
    }

    fn of_matcher(&self, matcher: &HttpMatcher) -> Vec<Anchor> {
        match matcher {
            HttpMatcher::Host(host) => [Some(&host.expression), host.undotted.as_ref()]
                .into_iter()
                .flatten()
                .map(|expression| Anchor { host: expression.into(), path: PathKey::Any })
                .collect(),
            HttpMatcher::HostRegexp { pattern, .. } | HttpMatcher::HostTemplate(pattern) => {
                let rarest = rarest(&self.host_parts, pattern.parts(true));
                let anchor = |text| Anchor { host: HostKey::Part(text), path: PathKey::Any };
                rarest.map_or(vec![ANYTHING], |texts| texts.into_iter().map(anchor).collect())
            }
            HttpMatcher::Path(text) => of_path([PathKey::Exact(text.clone())]),
            HttpMatcher::PathPrefix(text) => of_path([PathKey::Prefix(text.clone())]),
            HttpMatcher::PathRegexp { head, pattern } => {
                match rarest(&self.path_parts, pattern.parts(false)) {
                    // A text within the head says no more than the head, which is cheaper to look up.
                    Some(texts) if !texts.iter().all(|text| memchr::memmem::find(head.as_bytes(), text).is_some()) => {
                        of_path(texts.into_iter().map(PathKey::Part))
                    }
                    _ if head.is_empty() => vec![ANYTHING],
                    _ => of_path([PathKey::Prefix(head.clone())]),
                }
            }
            HttpMatcher::Never => Vec::new(),
            _ => vec![ANYTHING],
        }
    }
}

fn of_path(keys: impl IntoIterator<Item = PathKey>) -> Vec<Anchor> {
    keys.into_iter().map(|path| Anchor { host: HostKey::Any, path }).collect()
}

/// The texts that the fewest patterns share; of these the longest.
fn rarest(counts: &HashMap<Box<[u8]>, u32>, mut parts: Vec<OneOf>) -> Option<OneOf> {
    parts.retain(|texts| texts.iter().all(|text| counts.contains_key(text)));
    let shared = |texts: &OneOf| texts.iter().filter_map(|text| counts.get(text)).max().copied();
    parts.into_iter().min_by_key(|texts| (shared(texts), Reverse(shortest(texts))))
}

/// What must be true for both sides.
fn both(left: Vec<Anchor>, right: Vec<Anchor>) -> Vec<Anchor> {
    if left.len() * right.len() > MAX_ANCHORS {
        // Either side alone must be true: the one that says more.
        let is_vague = |anchors: &[Anchor]| anchors.iter().any(|anchor| anchor.host == HostKey::Any);
        return if is_vague(&left) && !is_vague(&right) { right } else { left };
    }
    let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (left, right)));
    pairs
        .filter_map(|(left, right)| Some(Anchor { host: host(left, right), path: path(&left.path, &right.path)? }))
        .collect()
}

/// With a CNAME, two different names can both be right: either is kept, the one that says more.
fn host(left: &Anchor, right: &Anchor) -> HostKey {
    let says = |key: &HostKey| match key {
        HostKey::Any => 0,
        HostKey::Part(_) => 1,
        HostKey::Wildcard(_) => 2,
        HostKey::Name(_) => 3,
    };
    if says(&left.host) >= says(&right.host) { left.host.clone() } else { right.host.clone() }
}

/// `None` when no path can be both.
fn path(left: &PathKey, right: &PathKey) -> Option<PathKey> {
    use PathKey::{Any, Exact, Part, Prefix};
    let (kept, is_possible) = match (left, right) {
        (Any | Part(_), other) | (other, Any | Part(_)) => (if *other == Any { left } else { other }, true),
        (Exact(a), Exact(b)) => (left, a == b),
        (Exact(path), Prefix(prefix)) => (left, path.starts_with(&**prefix)),
        (Prefix(prefix), Exact(path)) => (right, path.starts_with(&**prefix)),
        (Prefix(a), Prefix(b)) if a.len() >= b.len() => (left, a.starts_with(&**b)),
        (Prefix(a), Prefix(b)) => (right, b.starts_with(&**a)),
    };
    is_possible.then(|| kept.clone())
}
