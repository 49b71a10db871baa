//! From the bytes of an answer to a configuration, in the notation that the answer is in.

use std::path::Path;

use trafficcop_config::dynamic::{Configuration, document};
use trafficcop_config::read::{self, Format};
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};

use crate::endpoint::Endpoint;

pub(crate) fn decode(content: &[u8], content_type: &str, from: &Endpoint) -> Result<Configuration, ConfigErrors> {
    let text = std::str::from_utf8(content).map_err(|error| not_text(from, error.valid_up_to(), content))?;
    let node = read::document(text, format(content_type, from), &from.shown)?;
    document::decode(node)
}

/// As the answer says; else as the address ends; else YAML, of which JSON is a part.
fn format(content_type: &str, from: &Endpoint) -> Format {
    let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let named = |word: &str| kind.rsplit(['/', '+']).next().is_some_and(|last| last.trim_start_matches("x-") == word);
    if named("json") {
        Format::Json
    } else if named("toml") {
        Format::Toml
    } else if named("yaml") || named("yml") {
        Format::Yaml
    } else {
        Format::of(Path::new(from.shown.as_str())).unwrap_or(Format::Yaml)
    }
}

fn not_text(from: &Endpoint, at: usize, content: &[u8]) -> ConfigErrors {
    let mut lines = content[..at].rsplit(|byte| *byte == b'\n');
    let column = lines.next().map_or(0, <[u8]>::len) as u32 + 1;
    let line = lines.count() as u32 + 1;
    let at = Origin::File { file: from.shown.as_str().into(), line, column };
    let problem = Problem::Syntax { message: "the document is not UTF-8 text".into() };
    ConfigErrors(vec![ConfigError { at, path: String::new(), problem }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_type: &str, address: &str, expected: Format) {
        let endpoint = Endpoint::parse(address, &crate::s3::S3::new(None)).expect("an address");
        assert_eq!(format(content_type, &endpoint), expected, "{content_type} {address}");
    }

    #[test]
    fn the_answer_says_its_notation_or_the_address_does() {
        check("application/json; charset=utf-8", "http://a/c.toml", Format::Json);
        check("application/vnd.x+yaml", "http://a/c", Format::Yaml);
        check("application/x-yaml", "http://a/c.json", Format::Yaml);
        check("application/toml", "http://a/c", Format::Toml);
        check("application/octet-stream", "http://a/c.toml", Format::Toml);
        check("text/plain", "http://a/c.json?x", Format::Json);
        check("", "http://a/", Format::Yaml);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        let endpoint = Endpoint::parse("http://a/c.yml", &crate::s3::S3::new(None)).expect("an address");
        let error = decode(b"http:\n  a\xff", "", &endpoint).unwrap_err().to_string();
        assert_eq!(error, "http://a/c.yml:2:4: the document is not UTF-8 text");
    }
}
