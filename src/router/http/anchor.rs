//! What must at least be true of host and path for a rule to hold: the part of a rule that the index understands.
//!
//! What must hold: a rule that holds for a request has an anchor that holds too. The reverse is not needed, because the
//! whole rule is asked afterwards.

use super::matcher::HttpMatcher;
use crate::host::index::HostKey;
use crate::rule::Rule;

/// The most anchors that are kept of one rule; beyond, less specific ones serve.
const MAX_ANCHORS: usize = 256;

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
    Exact(Box<str>),
    Prefix(Box<str>),
}

const ANYTHING: Anchor = Anchor { host: HostKey::Any, path: PathKey::Any };

/// The anchors of a rule; none when it can never hold.
pub(super) fn anchors(rule: &Rule<HttpMatcher>) -> Vec<Anchor> {
    match rule {
        Rule::Is(matcher) => of_matcher(matcher),
        // A negation says what must not be: nothing to look up.
        Rule::Not(_) => vec![ANYTHING],
        Rule::Any(rules) => {
            let mut found: Vec<Anchor> = Vec::new();
            for anchor in rules.iter().flat_map(anchors) {
                if anchor == ANYTHING {
                    return vec![ANYTHING];
                }
                found.push(anchor);
            }
            found
        }
        Rule::All(rules) => rules.iter().map(anchors).fold(vec![ANYTHING], both),
    }
}

fn of_matcher(matcher: &HttpMatcher) -> Vec<Anchor> {
    let path = |path| vec![Anchor { host: HostKey::Any, path }];
    match matcher {
        HttpMatcher::Host(host) => [Some(&host.expression), host.undotted.as_ref()]
            .into_iter()
            .flatten()
            .map(|expression| Anchor { host: expression.into(), path: PathKey::Any })
            .collect(),
        HttpMatcher::Path(text) => path(PathKey::Exact(text.clone())),
        HttpMatcher::PathPrefix(text) => path(PathKey::Prefix(text.clone())),
        HttpMatcher::PathRegexp { head, .. } if !head.is_empty() => path(PathKey::Prefix(head.clone())),
        HttpMatcher::Never => Vec::new(),
        _ => vec![ANYTHING],
    }
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

/// With a CNAME, two different names can both be right: either is kept, a name rather than a wildcard.
fn host(left: &Anchor, right: &Anchor) -> HostKey {
    match (&left.host, &right.host) {
        (HostKey::Any, other) | (HostKey::Wildcard(_), other @ HostKey::Name(_)) => other.clone(),
        (kept, _) => kept.clone(),
    }
}

/// `None` when no path can be both.
fn path(left: &PathKey, right: &PathKey) -> Option<PathKey> {
    use PathKey::{Any, Exact, Prefix};
    let (kept, is_possible) = match (left, right) {
        (Any, other) | (other, Any) => (other, true),
        (Exact(a), Exact(b)) => (left, a == b),
        (Exact(path), Prefix(prefix)) => (left, path.starts_with(&**prefix)),
        (Prefix(prefix), Exact(path)) => (right, path.starts_with(&**prefix)),
        (Prefix(a), Prefix(b)) if a.len() >= b.len() => (left, a.starts_with(&**b)),
        (Prefix(a), Prefix(b)) => (right, b.starts_with(&**a)),
    };
    is_possible.then(|| kept.clone())
}
