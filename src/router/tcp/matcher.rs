//! What can be asked of a connection, in both syntaxes.

use super::Connection;
use crate::cidr::AddressSet;
use crate::host::expression::HostExpression;
use crate::pattern::Pattern;
use crate::rule::name::Names;
use crate::rule::parse::Argument;
use crate::rule::{Place, Rule, RuleError, Syntax, one_of};
use crate::template::{Style, Template};

/// The protocol by which an authority validates a name: it belongs to us.
const ACME_TLS: &str = "acme-tls/1";

const HOST: Style = Style { variable: "[^.]+", is_prefix: false, ignores_case: true };

/// One question about a connection.
#[derive(Clone, Debug)]
pub(crate) enum TcpMatcher {
    /// ``HostSNI(`*`)``: also without a server name, and without TLS.
    Everything,
    /// An asterisk that is not the first argument, which only version 2 can have: some server name.
    AnyServerName,
    ServerName(HostExpression),
    ServerNameRegexp(Pattern),
    Alpn(Box<str>),
    ClientIp(AddressSet),
}

impl TcpMatcher {
    pub(super) fn matches(&self, connection: &Connection<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::AnyServerName => !connection.server_name.is_empty(),
            Self::ServerName(name) => !connection.server_name.is_empty() && name.matches(connection.server_name),
            Self::ServerNameRegexp(pattern) => pattern.is_match(connection.server_name),
            Self::Alpn(protocol) => connection.alpn.iter().any(|offered| offered == protocol.as_bytes()),
            Self::ClientIp(set) => set.contains(connection.client_ip),
        }
    }
}

/// Both syntaxes use the same names.
pub(super) fn names(syntax: Syntax) -> Names {
    Names { here: &["HostSNI", "HostSNIRegexp", "ClientIP", "ALPN"], elsewhere: &[], syntax }
}

/// The matcher of that canonical name.
pub(super) fn build(name: &str, place: &Place<'_>, syntax: Syntax) -> Result<Rule<TcpMatcher>, RuleError> {
    place.check_filled(name)?;
    if syntax == Syntax::V3 {
        place.check_count(name, 1, 1)?;
    }
    let arguments = &place.call.arguments;
    if name == "ClientIP" {
        let ranges: Result<_, _> = arguments.iter().map(|argument| place.range(argument)).collect();
        return Ok(Rule::Is(TcpMatcher::ClientIp(AddressSet::new(ranges?))));
    }
    let one = |argument| match name {
        "ALPN" => alpn(place, argument),
        "HostSNI" => server_name(place, argument, syntax),
        "HostSNIRegexp" => server_name_regexp(place, argument, syntax),
        _ => unreachable!("every name of the table is built: {name}"),
    };
    let rules: Result<_, _> = arguments.iter().map(|argument| one(argument).map(Rule::Is)).collect();
    rules.map(one_of)
}

fn alpn(place: &Place<'_>, argument: &Argument) -> Result<TcpMatcher, RuleError> {
    if argument.value == ACME_TLS {
        return Err(place.wrong(argument, &format!("ALPN cannot be `{ACME_TLS}`: it is answered by TrafficCop itself")));
    }
    Ok(TcpMatcher::Alpn(argument.value.as_str().into()))
}

fn server_name(place: &Place<'_>, argument: &Argument, syntax: Syntax) -> Result<TcpMatcher, RuleError> {
    let text = argument.value.as_str();
    if text == "*" {
        let is_first = place.call.arguments.first() == Some(argument);
        return Ok(if is_first { TcpMatcher::Everything } else { TcpMatcher::AnyServerName });
    }
    let name = match syntax {
        Syntax::V3 => text.strip_prefix("*.").unwrap_or(text),
        Syntax::V2 => text,
    };
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-:".contains(&byte)) {
        let error = place.wrong(argument, &format!("`{text}` is no host name"));
        let expected = match syntax {
            Syntax::V3 => "a name such as db.example.com or *.example.com, or `*`",
            Syntax::V2 => "a name such as db.example.com, or `*`",
        };
        return Err(error.expecting(Some(expected)));
    }
    Ok(TcpMatcher::ServerName(HostExpression::new(text.strip_suffix('.').unwrap_or(text))))
}

fn server_name_regexp(place: &Place<'_>, argument: &Argument, syntax: Syntax) -> Result<TcpMatcher, RuleError> {
    if syntax == Syntax::V3 {
        place.check_ascii("HostSNIRegexp", argument)?;
        return Ok(TcpMatcher::ServerNameRegexp(place.pattern(argument)?));
    }
    let unfit = |error| place.bad_pattern(argument, &error);
    let pattern = match Template::new(&argument.value, HOST).map_err(unfit)? {
        Template::Text(text) => Pattern::of_text(&text).map_err(unfit)?,
        Template::Pattern { pattern, .. } => pattern,
    };
    Ok(TcpMatcher::ServerNameRegexp(pattern))
}
