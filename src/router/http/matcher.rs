//! What can be asked of a request.

use std::sync::Arc;

use ipnet::IpNet;

use super::query;
use crate::cidr::AddressSet;
use crate::head::Head;
use crate::host::expression::HostExpression;
use crate::pattern::Pattern;

/// One question about a request. Rules of both syntaxes come down to these.
#[derive(Clone, Debug)]
pub(crate) enum HttpMatcher {
    /// ``Host(`*`)``: also an empty host.
    AnyHost,
    Host(HostMatcher),
    HostRegexp {
        pattern: Pattern,
        matches_empty: bool,
    },
    /// Version 2 looks neither at the CNAME nor at an absent host.
    HostTemplate(Pattern),
    Path(Arc<str>),
    PathPrefix(Arc<str>),
    /// Whatever matches begins with `head`.
    PathRegexp {
        head: Arc<str>,
        pattern: Pattern,
    },
    Method(Box<str>),
    Header {
        name: Box<str>,
        value: Box<str>,
    },
    HeaderRegexp {
        name: Box<str>,
        pattern: Pattern,
    },
    Query {
        key: Box<str>,
        value: Box<str>,
    },
    QueryRegexp {
        key: Box<str>,
        pattern: Pattern,
    },
    /// Version 2 looks at the first value only.
    FirstQuery {
        key: Box<str>,
        value: Box<str>,
    },
    FirstQueryRegexp {
        key: Box<str>,
        pattern: Pattern,
    },
    ClientIp(AddressSet),
    /// Can be written and never holds.
    Never,
}

impl HttpMatcher {
    pub(super) fn host_regexp(pattern: Pattern) -> Self {
        let matches_empty = pattern.is_match("");
        Self::HostRegexp { pattern, matches_empty }
    }

    /// A header that is compared. Of some, nothing is left when rules are asked: the host and the coding of the transfer
    /// are no headers for Go.
    pub(super) fn header(name: &str, of: impl FnOnce(Box<str>) -> Self) -> Self {
        if ["host", "transfer-encoding"].iter().any(|hidden| hidden.eq_ignore_ascii_case(name)) {
            return Self::Never;
        }
        of(name.into())
    }

    pub(super) fn client_ip(ranges: Vec<IpNet>) -> Self {
        Self::ClientIp(AddressSet::new(ranges))
    }

    pub(crate) fn matches(&self, head: &Head<'_>) -> bool {
        match self {
            Self::AnyHost => true,
            Self::Host(host) => host.matches(head.host, head.cname),
            // A name that is not known counts as an empty one, so that a pattern which matches nothing matches all.
            Self::HostRegexp { pattern, matches_empty } => {
                pattern.is_match(head.host) || head.cname.map_or(*matches_empty, |cname| pattern.is_match(cname))
            }
            Self::HostTemplate(pattern) => pattern.is_match(head.host),
            Self::Path(path) => **path == *head.routing_path,
            Self::PathPrefix(prefix) => head.routing_path.starts_with(&**prefix),
            Self::PathRegexp { head: start, pattern } => {
                head.routing_path.starts_with(&**start) && pattern.is_match(head.routing_path)
            }
            Self::Method(method) => **method == *head.method,
            Self::Header { name, value } => head.headers.values(name, &mut |found| found == value.as_bytes()),
            Self::HeaderRegexp { name, pattern } => {
                head.headers.values(name, &mut |found| pattern.is_match_bytes(found))
            }
            Self::Query { key, value } => query::values(head.query, key).any(|found| query::is(found, value)),
            Self::QueryRegexp { key, pattern } => {
                query::values(head.query, key).any(|found| query::is_match(found, pattern))
            }
            Self::FirstQuery { key, value } => {
                query::values(head.query, key).next().is_some_and(|found| query::is(found, value))
            }
            Self::FirstQueryRegexp { key, pattern } => {
                query::values(head.query, key).next().is_some_and(|found| query::is_match(found, pattern))
            }
            Self::ClientIp(set) => set.contains(head.client_ip),
            Self::Never => false,
        }
    }
}

/// A host as a rule names it, with what is tolerated of trailing dots.
#[derive(Clone, Debug)]
pub(crate) struct HostMatcher {
    pub(super) expression: HostExpression,
    /// The same without its trailing dot, where it has one.
    pub(super) undotted: Option<HostExpression>,
}

impl HostMatcher {
    pub(super) fn new(text: &str) -> Self {
        Self { expression: HostExpression::new(text), undotted: text.strip_suffix('.').map(HostExpression::new) }
    }

    /// Version 2 knows no wildcards.
    pub(super) fn literal(text: &str) -> Self {
        let name = |text: &str| HostExpression::Name(text.to_ascii_lowercase().into());
        Self { expression: name(text), undotted: text.strip_suffix('.').map(name) }
    }

    fn matches(&self, host: &str, cname: Option<&str>) -> bool {
        if host.is_empty() {
            return false;
        }
        if self.expression.matches(host) {
            return true;
        }
        // With a CNAME, dots are no longer looked at.
        if let Some(cname) = cname.filter(|cname| !cname.is_empty()) {
            return self.expression.matches(cname);
        }
        self.undotted.as_ref().is_some_and(|undotted| undotted.matches(host))
            || host.strip_suffix('.').is_some_and(|host| self.expression.matches(host))
    }
}
