//! Objects of S3, or of a server that speaks like it: where they are, and how they are asked for.

use jiff::Timestamp;
use trafficcop_config::Secret;
use trafficcop_config::settings::providers::S3 as Settings;
use trafficcop_remote::sigv4::{Credentials, Request, encoded, sign};
use url::Url;

/// See the module.
pub(crate) struct S3 {
    settings: Settings,
    credentials: Credentials,
}

impl S3 {
    /// What the settings leave open, the variables of Amazon's own clients say.
    pub(crate) fn new(settings: Option<&Settings>) -> Self {
        let settings = settings.cloned().unwrap_or_default();
        let or = |given: &Secret, variable: &str| {
            if given.is_empty() { Secret::new(std::env::var(variable).unwrap_or_default()) } else { given.clone() }
        };
        let credentials = Credentials {
            id: or(&settings.access_key_id, "AWS_ACCESS_KEY_ID").reveal().to_owned(),
            secret: or(&settings.secret_access_key, "AWS_SECRET_ACCESS_KEY"),
            token: or(&settings.session_token, "AWS_SESSION_TOKEN"),
        };
        Self { settings, credentials }
    }

    /// Objects that everybody may read need none.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.credentials.id.is_empty()
    }

    /// Where `s3://bucket/key` is.
    pub(crate) fn url(&self, object: &Url) -> Option<Url> {
        let bucket = object.host_str()?;
        let key = percent_decoded(object.path().strip_prefix('/').filter(|key| !key.is_empty())?)?;
        let server = match self.settings.endpoint.as_str() {
            "" => format!("https://s3.{}.amazonaws.com", self.settings.region),
            endpoint => endpoint.trim_end_matches('/').to_owned(),
        };
        let (scheme, server) = server.split_once("://")?;
        let (host, path) = if self.settings.path_style {
            (server.to_owned(), format!("/{bucket}/{key}"))
        } else {
            (format!("{bucket}.{server}"), format!("/{key}"))
        };
        Url::parse(&format!("{scheme}://{host}{}", encoded(&path))).ok()
    }

    /// The headers of a request for it, now.
    pub(crate) fn sign(&self, url: &Url) -> Vec<(&'static str, String)> {
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let host = format!("{}{port}", url.host_str().unwrap_or(""));
        let region = &self.settings.region;
        let request =
            Request { method: "GET", host: &host, path: url.path(), headers: &[], body: b"", region, service: "s3" };
        sign(&request, &self.credentials, Timestamp::now())
    }
}

/// The key as it was meant; the address may have been written with or without escapes.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settings: &Settings, expected: &str) {
        let object = Url::parse("s3://bucket/some folder/c+d.yml").expect("an address");
        let url = S3::new(Some(settings)).url(&object).map(|url| url.to_string());
        assert_eq!(url.as_deref(), Some(expected));
    }

    #[test]
    fn places() {
        let path_style = true;
        let amazon = Settings { region: "eu-west-1".into(), ..Settings::default() };
        check(&amazon, "https://bucket.s3.eu-west-1.amazonaws.com/some%20folder/c%2Bd.yml");
        check(&Settings { path_style, ..amazon }, "https://s3.eu-west-1.amazonaws.com/bucket/some%20folder/c%2Bd.yml");
        let minio = Settings { endpoint: "http://minio:9000/".into(), path_style, ..Settings::default() };
        check(&minio, "http://minio:9000/bucket/some%20folder/c%2Bd.yml");
    }
}
