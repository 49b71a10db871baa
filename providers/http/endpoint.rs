//! Where a document is fetched from: an address of HTTP, a key of Consul or an object of S3 as a whole document.

use trafficcop_provider::ProviderError;
use url::Url;

use crate::s3::S3;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    /// What places and errors call it: without user, password and query, which may be secrets.
    pub(crate) shown: String,
    /// It is asked for with a signature.
    pub(crate) is_signed: bool,
}

impl Endpoint {
    pub(crate) fn parse(text: &str, s3: &S3) -> Result<Self, ProviderError> {
        let wrong = |why: &str| {
            let shown = text.split(['@', '?']).next().unwrap_or(text);
            ProviderError(format!("providers.http.endpoint {shown:?}: {why}"))
        };
        let expected = "expected http://, https://, consul:// or s3:// and an address";
        let given = Url::parse(text).map_err(|_| wrong(expected))?;
        if given.host_str().is_none_or(str::is_empty) {
            return Err(wrong("expected a host"));
        }
        let url = match given.scheme() {
            "http" | "https" => given.clone(),
            "consul" | "consul+https" => consul(&given).ok_or_else(|| wrong("expected consul://host:port/key"))?,
            "s3" => s3.url(&given).ok_or_else(|| wrong("expected s3://bucket/key"))?,
            _ => return Err(wrong(expected)),
        };
        let port = given.port().map_or_else(String::new, |port| format!(":{port}"));
        let shown = format!("{}://{}{port}{}", given.scheme(), given.host_str().unwrap_or(""), given.path());
        Ok(Self { url, shown, is_signed: given.scheme() == "s3" && s3.has_credentials() })
    }
}

/// The value of one key, as it is.
fn consul(given: &Url) -> Option<Url> {
    let scheme = if given.scheme() == "consul" { "http" } else { "https" };
    let key = given.path().trim_start_matches('/');
    if key.is_empty() {
        return None;
    }
    let port = given.port().unwrap_or(8500);
    let mut url = Url::parse(&format!("{scheme}://{}:{port}/v1/kv/{key}", given.host_str()?)).ok()?;
    url.set_query(Some(&given.query().map_or_else(|| "raw".to_owned(), |query| format!("raw&{query}"))));
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, S3};

    #[track_caller]
    fn check(text: &str, url: &str, shown: &str) {
        let endpoint = Endpoint::parse(text, &S3::new(None)).expect("it is an endpoint");
        assert_eq!((endpoint.url.as_str(), endpoint.shown.as_str()), (url, shown));
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(Endpoint::parse(text, &S3::new(None)).map(drop).unwrap_err().to_string(), expected);
    }

    #[test]
    fn addresses() {
        check("http://a.test:81/c.yml", "http://a.test:81/c.yml", "http://a.test:81/c.yml");
        check("https://u:secret@a.test/c?token=x", "https://u:secret@a.test/c?token=x", "https://a.test/c");
        check(
            "consul://c.test:8501/x/y.yml?dc=b",
            "http://c.test:8501/v1/kv/x/y.yml?raw&dc=b",
            "consul://c.test:8501/x/y.yml",
        );
        check("consul+https://c.test/x", "https://c.test:8500/v1/kv/x?raw", "consul+https://c.test/x");
    }

    #[test]
    fn mistakes() {
        let expected = "expected http://, https://, consul:// or s3:// and an address";
        check_error("a.test/c.yml", &format!("providers.http.endpoint \"a.test/c.yml\": {expected}"));
        check_error("ftp://a.test/c", &format!("providers.http.endpoint \"ftp://a.test/c\": {expected}"));
        check_error("consul://c.test", "providers.http.endpoint \"consul://c.test\": expected consul://host:port/key");
    }
}
