//! # compress
//!
//! Compresses answers with gzip, Brotli or Zstandard, as the client accepts.
//!
//! ```yaml
//! middlewares:
//!   small: {compress: {minResponseBodyBytes: 2048, encodings: [zstd, br, gzip]}}
//! ```
//!
//! Left as they are: answers to HEAD and to requests whose own Content-Type is excluded, answers that are encoded already
//! or a range, smaller than `minResponseBodyBytes` (1,024; 0 means that too), of type `application/grpc` or
//! `text/event-stream`, or not of a type that the lists allow. `encodings` are in the order of preference among equal
//! q-values. Without `Accept-Encoding` nothing is compressed unless `defaultEncoding` says how. Whatever is sent says
//! `Vary: Accept-Encoding` once a client could have had it compressed.

mod accept;
mod stream;

use serde::{Deserialize, Serialize};
use trafficcop_exchange::{
    Around, Body, Exchange, Headers, Line, LocalBoxFuture, Method, Next, Reason, Request, Response, StatusCode, reply,
};

use self::accept::Choice;
use self::stream::Compressed;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Compress {
    /// Types that are not compressed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    excluded_content_types: Vec<String>,
    /// Types that are compressed, and no others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    included_content_types: Vec<String>,
    /// Bytes below which an answer is left as it is; 0 means 1,024.
    #[serde(skip_serializing_if = "is_zero")]
    min_response_body_bytes: i64,
    /// In the order of preference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encodings: Vec<String>,
    /// For clients that send no Accept-Encoding, or `*`.
    #[serde(skip_serializing_if = "String::is_empty")]
    default_encoding: String,
}

impl Default for Compress {
    fn default() -> Self {
        Self {
            excluded_content_types: Vec::new(),
            included_content_types: Vec::new(),
            min_response_body_bytes: 0,
            encodings: ["gzip", "br", "zstd"].map(String::from).to_vec(),
            default_encoding: String::new(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// What an answer can be compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Brotli,
    Zstandard,
}

impl Encoding {
    fn parse(name: &[u8]) -> Option<Self> {
        match name {
            b"gzip" => Some(Self::Gzip),
            b"br" => Some(Self::Brotli),
            b"zstd" => Some(Self::Zstandard),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstandard => "zstd",
        }
    }
}

impl Middleware for Compress {
    const NAME: &'static str = "compress";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        if !self.excluded_content_types.is_empty() && !self.included_content_types.is_empty() {
            return Err(BuildError::invalid(
                "excludedContentTypes and includedContentTypes options are mutually exclusive",
            ));
        }
        if self.min_response_body_bytes < 0 {
            return Err(BuildError::invalid("minResponseBodyBytes must be 0 or more"));
        }
        if self.encodings.is_empty() {
            return Err(BuildError::invalid("at least one encoding must be specified"));
        }
        let known = |name: &String| {
            Encoding::parse(name.as_bytes())
                .ok_or_else(|| BuildError::invalid(format!("unsupported encoding: {name} (gzip, br and zstd are)")))
        };
        let encodings: Vec<_> = self.encodings.iter().map(known).collect::<Result<_, _>>()?;
        let default = if self.default_encoding.is_empty() { None } else { Some(known(&self.default_encoding)?) };
        if default.is_some_and(|default| !encodings.contains(&default)) {
            return Err(BuildError::invalid(format!(
                "unsupported default encoding: {} is not in encodings",
                self.default_encoding
            )));
        }
        let types = |list: &[String]| list.iter().map(|name| media_type(name).to_owned()).collect();
        chain.around(Compressor {
            excluded: types(&self.excluded_content_types),
            included: types(&self.included_content_types),
            smallest: if self.min_response_body_bytes == 0 { 1024 } else { self.min_response_body_bytes as u64 },
            encodings,
            default,
            vary: Line::new("Vary", "Accept-Encoding"),
        });
        Ok(())
    }
}

struct Compressor {
    excluded: Vec<String>,
    included: Vec<String>,
    smallest: u64,
    encodings: Vec<Encoding>,
    default: Option<Encoding>,
    vary: Line,
}

/// The type without its parameters.
fn media_type(text: &str) -> &str {
    text.split(';').next().unwrap_or("").trim()
}

fn lists(list: &[String], kind: &str) -> bool {
    list.iter().any(|listed| listed.eq_ignore_ascii_case(kind))
}

impl Compressor {
    fn choose(&self, headers: &Headers) -> Choice {
        let mut accepted = headers.get_all("Accept-Encoding").peekable();
        if accepted.peek().is_none() {
            return self.default.map_or(Choice::Identity, Choice::Encode);
        }
        accept::choose(accepted, &self.encodings, self.default.unwrap_or(self.encodings[0]))
    }

    fn is_wanted(&self, response: &Response) -> bool {
        let headers = &response.headers;
        let announced = || headers.get_str("Content-Length").and_then(|length| length.parse().ok());
        if response.body.remaining().or_else(announced).is_some_and(|size| size < self.smallest) {
            return false;
        }
        let kind = media_type(headers.get_str("Content-Type").unwrap_or(""));
        let encoded = headers.get("Content-Encoding").is_some_and(|value| !value.is_empty());
        !(encoded
            || headers.contains("Content-Range")
            || matches!(response.body, Body::Empty)
            || kind.eq_ignore_ascii_case("application/grpc")
            || kind.eq_ignore_ascii_case("text/event-stream")
            || lists(&self.excluded, kind)
            || (!self.included.is_empty() && !lists(&self.included, kind)))
    }
}

impl Around for Compressor {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let own_type = req.headers.get_str("Content-Type").map(media_type);
        let excluded =
            own_type.is_some_and(|kind| kind.eq_ignore_ascii_case("application/grpc") || lists(&self.excluded, kind));
        if req.method == Method::HEAD || excluded || req.upgrade.is_some() {
            return next.run(req, cx);
        }
        let encoding = match self.choose(&req.headers) {
            Choice::Encode(encoding) => encoding,
            Choice::Identity => return next.run(req, cx),
            Choice::NotAcceptable => {
                cx.reason = Some(Reason::NotAcceptable);
                return Box::pin(std::future::ready(reply::empty(StatusCode::NOT_ACCEPTABLE)));
            }
        };
        // As in Traefik, gzip is used only for clients that name it; `*` and a default are not enough.
        let named = encoding != Encoding::Gzip
            || req.headers.get_all("Accept-Encoding").any(|value| value.windows(4).any(|part| part == b"gzip"));
        Box::pin(async move {
            let mut response = next.run(req, cx).await;
            vary(&mut response.headers, &self.vary);
            if named && self.is_wanted(&response) {
                let announced = response.headers.get_str("Content-Length").and_then(|length| length.parse().ok());
                response.headers.remove("Content-Length");
                // Ranges would be of the compressed form, which nobody keeps.
                response.headers.remove("Accept-Ranges");
                response.headers.insert("Content-Encoding", encoding.name());
                response.body = Compressed::body(stream::gather(response.body, announced).await, encoding);
            }
            response
        })
    }
}

/// Before what the back end says, in a line of its own.
fn vary(headers: &mut Headers, ours: &Line) {
    if !headers.contains("Vary") {
        return headers.push_line(ours);
    }
    let lines: Vec<_> = headers.get_all("Vary").map(bytes::Bytes::copy_from_slice).collect();
    headers.remove("Vary");
    headers.push_line(ours);
    for line in lines {
        headers.append("Vary", line);
    }
}

#[cfg(test)]
mod tests;
