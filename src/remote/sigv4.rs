//! Signature Version 4, as S3 and its kin ask for it.
//!
//! Pure: the time comes in as an argument. What must hold: the path that is signed is the path that is sent, byte for byte.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

/// Who asks.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub id: String,
    pub secret: trafficcop_config::Secret,
    /// Of credentials that end.
    pub token: trafficcop_config::Secret,
}

/// What is asked for where.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// As it is sent, port included where it is not the scheme's own.
    pub host: &'a str,
    /// Encoded, see [`encoded`].
    pub path: &'a str,
    /// Further headers that are signed, in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
    pub region: &'a str,
    pub service: &'a str,
}

/// The headers that make the request one of the owner of the credentials; `Host` is not among them.
pub fn sign(request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Vec<(&'static str, String)> {
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = &time[..8];
    let payload = hex(&Sha256::digest(request.body));
    let mut signed = vec![
        ("host", request.host.to_owned()),
        ("x-amz-content-sha256", payload.clone()),
        ("x-amz-date", time.clone()),
    ];
    signed.extend(request.headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
    if !credentials.token.is_empty() {
        signed.push(("x-amz-security-token", credentials.token.reveal().to_owned()));
    }
    signed.sort();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let mut canonical = format!("{}\n{}\n\n", request.method, request.path);
    for (name, value) in &signed {
        let _memory_never_fails = writeln!(canonical, "{name}:{}", value.trim());
    }
    let _memory_never_fails = write!(canonical, "\n{names}\n{payload}");
    let scope = format!("{date}/{}/{}/aws4_request", request.region, request.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = format!("AWS4{}", credentials.secret.reveal()).into_bytes();
    for part in [date, request.region, request.service, "aws4_request", &to_sign] {
        key = keyed(&key, part);
    }
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={}", credentials.id, hex(&key));
    let mut headers = vec![("x-amz-content-sha256", payload), ("x-amz-date", time), ("authorization", authorization)];
    if !credentials.token.is_empty() {
        headers.push(("x-amz-security-token", credentials.token.reveal().to_owned()));
    }
    headers
}

/// A path as it is signed: every byte but letters, digits and `-_.~/` is encoded, once.
pub fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _memory_never_fails = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _memory_never_fails = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification for S3.
    #[test]
    fn the_published_example() {
        let request = Request {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/test.txt",
            headers: &[("range", "bytes=0-9")],
            body: b"",
            region: "us-east-1",
            service: "s3",
        };
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into();
        let credentials = Credentials { id: "AKIAIOSFODNN7EXAMPLE".into(), secret, token: "".into() };
        let now: Timestamp = "2013-05-24T00:00:00Z".parse().expect("a time");
        let headers = sign(&request, &credentials, now);
        let expected = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                        SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
                        Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert_eq!(headers[1], ("x-amz-date", "20130524T000000Z".to_owned()));
        assert_eq!(headers[2], ("authorization", expected.to_owned()));
    }

    #[test]
    fn paths() {
        assert_eq!(encoded("/a b/ä+=.yml"), "/a%20b/%C3%A4%2B%3D.yml");
    }
}
