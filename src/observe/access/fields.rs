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

#[derive(Debug)]
pub(super) struct Fields {
    default: Mode,
    names: Vec<(Box<str>, Mode)>,
    header_default: Mode,
    headers: Vec<(Box<str>, Mode)>,
    query: Mode,
}

impl Fields {
    pub(super) fn new(settings: &AccessLogFields) -> Self {
        let default = mode(&settings.default_mode, Mode::Keep);
        let header_default = mode(&settings.headers.default_mode, Mode::Drop);
        Self {
            default,
            names: named(&settings.names, default),
            header_default,
            headers: named(&settings.headers.names, header_default),
            query: mode(&settings.query_parameters.default_mode, Mode::Keep),
        }
    }

    /// Whether a field that Traefik does not know is shown: only if it is asked for by name.
    pub(super) fn asks_for(&self, field: &str) -> bool {
        find(&self.names, field) == Some(Mode::Keep)
    }

    /// Whether a field is shown.
    pub(super) fn keeps(&self, field: &str) -> bool {
        find(&self.names, field).unwrap_or(self.default) != Mode::Drop
    }

    pub(super) fn header(&self, name: &str) -> Mode {
        find(&self.headers, name).unwrap_or(self.header_default)
    }

    /// Some header may be shown.
    pub(super) fn has_headers(&self) -> bool {
        self.header_default != Mode::Drop || self.headers.iter().any(|(_, mode)| *mode != Mode::Drop)
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
        assert!(fields.keeps("Duration") && !fields.keeps("ClientUsername"));
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
