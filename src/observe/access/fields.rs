//! Which fields, headers and query parameters a line shows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use trafficcop_config::settings::observability::AccessLogFields;
use trafficcop_exchange::Target;

/// What is written in place of a secret.
pub(super) const REDACTED: &str = "REDACTED";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Keep,
    Drop,
    Redact,
}

/// Words are compared as Traefik does, in any case; what is none of them means `fallback`.
fn mode(word: &str, fallback: Mode) -> Mode {
    match word {
        word if word.eq_ignore_ascii_case("keep") => Mode::Keep,
        word if word.eq_ignore_ascii_case("drop") => Mode::Drop,
        word if word.eq_ignore_ascii_case("redact") => Mode::Redact,
        _ => fallback,
    }
}

/// Names of fields, in the order of `json`.
const NAMES: [&str; 34] = [
    "ClientAddr",
    "ClientHost",
    "ClientPort",
    "ClientUsername",
    "DownstreamContentSize",
    "DownstreamStatus",
    "Duration",
    "GzipRatio",
    "OriginContentSize",
    "OriginDuration",
    "OriginStatus",
    "Overhead",
    "Reason",
    "RequestAddr",
    "RequestContentSize",
    "RequestCount",
    "RequestHost",
    "RequestMethod",
    "RequestPath",
    "RequestPort",
    "RequestProtocol",
    "RequestScheme",
    "RetryAttempts",
    "RouterName",
    "ServiceAddr",
    "ServiceName",
    "ServiceURL",
    "SpanId",
    "StartLocal",
    "StartUTC",
    "TLSCipher",
    "TLSVersion",
    "TraceId",
    "entryPointName",
];

/// A field, by its place among [`NAMES`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Field(u8);

/// `field!("Duration")`: the field of that name, found while the program is compiled.
macro_rules! field {
    ($name:literal) => {
        const { $crate::access::fields::Field::named($name) }
    };
}
pub(super) use field;

impl Field {
    /// Compiling ends if there is none.
    pub(super) const fn named(name: &str) -> Self {
        let mut place = 0;
        while !is_same(NAMES[place as usize].as_bytes(), name.as_bytes()) {
            place += 1;
        }
        Self(place)
    }
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

#[derive(Debug)]
pub(super) struct Fields {
    /// A bit for each of [`NAMES`].
    shown: u64,
    header_default: Mode,
    headers: Vec<(Box<str>, Mode)>,
    has_headers: bool,
    query: Mode,
}

impl Fields {
    pub(super) fn new(settings: &AccessLogFields) -> Self {
        let default = mode(&settings.default_mode, Mode::Keep);
        let names = named(&settings.names, default);
        let is_shown = |name: &str| match find(&names, name) {
            // Traefik does not know it: shown only if it is asked for by name.
            found if name == "Reason" => found == Some(Mode::Keep),
            found => found.unwrap_or(default) != Mode::Drop,
        };
        let shown = NAMES.iter().rev().fold(0, |shown, name| shown << 1 | u64::from(is_shown(name)));
        let header_default = mode(&settings.headers.default_mode, Mode::Drop);
        let headers = named(&settings.headers.names, header_default);
        let has_headers = header_default != Mode::Drop || headers.iter().any(|(_, mode)| *mode != Mode::Drop);
        let query = mode(&settings.query_parameters.default_mode, Mode::Keep);
        Self { shown, header_default, headers, has_headers, query }
    }

    /// Which are shown, as one number.
    pub(super) fn shown(&self) -> u64 {
        self.shown
    }

    /// Whether a field is shown.
    pub(super) fn keeps(&self, field: Field) -> bool {
        self.shown >> field.0 & 1 == 1
    }

    pub(super) fn header(&self, name: &str) -> Mode {
        find(&self.headers, name).unwrap_or(self.header_default)
    }

    /// Some header may be shown.
    pub(super) fn has_headers(&self) -> bool {
        self.has_headers
    }

    /// Path and query as they are shown.
    pub(super) fn path<'a>(&self, target: &'a Target) -> Cow<'a, str> {
        match (target.query(), self.query) {
            (None, _) | (_, Mode::Drop) => Cow::Borrowed(target.path()),
            (Some(_), Mode::Keep) => Cow::Owned(target.to_uri()),
            (Some(query), Mode::Redact) => {
                let hide = |pair: &str| format!("{}={REDACTED}", pair.split('=').next().unwrap_or_default());
                let hidden: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).map(hide).collect();
                Cow::Owned(format!("{}?{}", target.path(), hidden.join("&")))
            }
        }
    }
}

fn named(names: &BTreeMap<String, String>, fallback: Mode) -> Vec<(Box<str>, Mode)> {
    names.iter().map(|(name, word)| (name.as_str().into(), mode(word, fallback))).collect()
}

fn find(names: &[(Box<str>, Mode)], name: &str) -> Option<Mode> {
    names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, mode)| *mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_query(word: &str) -> Fields {
        let mut settings = AccessLogFields::default();
        settings.query_parameters.default_mode = word.to_owned();
        settings.names.insert("ClientUsername".into(), "drop".into());
        settings.headers.names.insert("user-agent".into(), "keep".into());
        Fields::new(&settings)
    }

    #[test]
    fn names_go_before_the_default() {
        let fields = with_query("keep");
        assert!(fields.keeps(field!("Duration")) && fields.keeps(field!("entryPointName")));
        assert!(!fields.keeps(field!("ClientUsername")) && !fields.keeps(field!("Reason")));
        assert_eq!((fields.header("User-Agent"), fields.header("Cookie")), (Mode::Keep, Mode::Drop));
        assert!(fields.has_headers());
        assert!(!Fields::new(&AccessLogFields::default()).has_headers());
    }

    #[track_caller]
    fn check(word: &str, expected: &str) {
        assert_eq!(with_query(word).path(&Target::parse("/a?token=x&b".into())), expected);
    }

    #[test]
    fn queries_may_be_hidden() {
        check("keep", "/a?token=x&b");
        check("drop", "/a");
        check("redact", "/a?token=REDACTED&b=REDACTED");
    }
}
