//! # encodedCharacters
//!
//! Refuses requests whose path holds certain characters in their encoded form, in which a back end may see another path
//! than the rules did.
//!
//! ```yaml
//! middlewares:
//!   strict: {encodedCharacters: {allowEncodedSlash: true}}
//! ```
//!
//! As a middleware it denies all seven (`%2F %5C %00 %3B %25 %3F %23`) but those that are allowed; the answer is 400 with
//! no body.

use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Reason, Request, StatusCode, reply};

use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EncodedCharacters {
    /// `%2F`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_encoded_slash: bool,
    /// `%5C`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_encoded_back_slash: bool,
    /// `%00`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_encoded_null_character: bool,
    /// `%3B`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_encoded_semicolon: bool,
    /// `%25`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_encoded_percent: bool,
    /// `%3F`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_encoded_question_mark: bool,
    /// `%23`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_encoded_hash: bool,
}

impl Middleware for EncodedCharacters {
    const NAME: &'static str = "encodedCharacters";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let table = [
            (self.allow_encoded_slash, b'/'),
            (self.allow_encoded_back_slash, b'\\'),
            (self.allow_encoded_null_character, 0),
            (self.allow_encoded_semicolon, b';'),
            (self.allow_encoded_percent, b'%'),
            (self.allow_encoded_question_mark, b'?'),
            (self.allow_encoded_hash, b'#'),
        ];
        chain.filter(Deny { bytes: table.iter().filter(|(allowed, _)| !allowed).map(|(_, byte)| *byte).collect() });
        Ok(())
    }
}

/// Refuses encoded bytes; entry points use it too.
pub struct Deny {
    bytes: Box<[u8]>,
}

impl Deny {
    /// Denies the escapes of these bytes.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self { bytes: bytes.into() }
    }

    fn finds_one(&self, path: &str) -> bool {
        let bytes = path.as_bytes();
        memchr::memchr_iter(b'%', bytes).any(|at| {
            let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            byte.is_some_and(|byte| self.bytes.contains(&byte))
        })
    }
}

impl Filter for Deny {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        if self.finds_one(req.target.path()) {
            cx.reason = Some(Reason::EncodedCharacter);
            return Flow::Break(reply::empty(StatusCode::BAD_REQUEST));
        }
        Flow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use crate::testing::{self, Origin};

    #[track_caller]
    fn check(settings: &str, uri: &str, expected: u16) {
        let chain = testing::chain("encodedCharacters", settings, Origin::ok()).expect("good settings");
        let response = testing::run(&chain, testing::request(Method::GET, uri), &mut testing::exchange());
        assert_eq!(response.status.as_u16(), expected, "{uri}");
    }

    #[test]
    fn denies_what_is_not_allowed() {
        for path in ["/%2F", "/a%2fb", "/%5C", "/%00", "/%3B", "/%25", "/%3F", "/%23"] {
            check("{}", path, 400);
        }
        check("{}", "/%20?q=%2F", 200);
        check("{allowEncodedSlash: true}", "/%2F", 200);
        check("{allowEncodedSlash: true}", "/%5C", 400);
    }
}
