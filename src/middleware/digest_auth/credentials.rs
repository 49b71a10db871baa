//! The parameters of a `Digest` header, of challenge and answer alike.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) uri: String,
    pub(super) qop: String,
    /// The request counter, eight hexadecimal digits.
    pub(super) count: String,
    pub(super) client_nonce: String,
    pub(super) response: String,
    pub(super) opaque: String,
    pub(super) algorithm_is_md5: bool,
}

impl Credentials {
    /// None when it is no Digest header at all; what is missing is empty.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (scheme, mut rest) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut credentials = Self { algorithm_is_md5: true, ..Self::default() };
        while let Some((name, after)) = rest.split_once('=') {
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => {
                    let (value, after) = quoted.split_once('"')?;
                    (value, after.trim_start().strip_prefix(',').unwrap_or(after))
                }
                None => after.split_once(',').unwrap_or((after, "")),
            };
            rest = after;
            let value = value.trim().to_owned();
            match name.trim() {
                "username" => credentials.user = value,
                "realm" => credentials.realm = value,
                "nonce" => credentials.nonce = value,
                "uri" => credentials.uri = value,
                "qop" => credentials.qop = value,
                "nc" => credentials.count = value,
                "cnonce" => credentials.client_nonce = value,
                "response" => credentials.response = value,
                "opaque" => credentials.opaque = value,
                "algorithm" => credentials.algorithm_is_md5 = value.eq_ignore_ascii_case("md5"),
                _ => {}
            }
        }
        Some(credentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_values() {
        let parsed =
            Credentials::parse("digest username=\"a, b\" , qop=auth,nc=00000001, uri=\"/x?y=z,w\"").expect("a header");
        assert_eq!(
            (parsed.user.as_str(), parsed.qop.as_str(), parsed.count.as_str(), parsed.uri.as_str()),
            ("a, b", "auth", "00000001", "/x?y=z,w")
        );
        assert_eq!(Credentials::parse("Basic x"), None);
        assert_eq!(Credentials::parse("Digest username=\"never closed"), None);
    }
}
