//! Whatever is thrown at a reader, it answers; it does not fall over.

use std::path::Path;

use proptest::prelude::*;

use super::{Format, document, env, flags, kv, labels};
use crate::dynamic::Configuration;
use crate::{Origin, Shape};

#[test]
fn formats_go_by_the_extension() {
    let of = |name: &str| Format::of(Path::new(name));
    assert_eq!(of("a/b.yaml"), Some(Format::Yaml));
    assert_eq!(of("b.YML"), Some(Format::Yaml));
    assert_eq!(of("x.toml"), Some(Format::Toml));
    assert_eq!(of("acme.json"), Some(Format::Json));
    assert_eq!(of("yaml"), None);
    assert_eq!(of("a.yml.bak"), None);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_document() {
    for format in [Format::Yaml, Format::Json] {
        let node = document("\u{feff}{\"a\": 1}", format, "f").unwrap();
        assert!(node.get("a").is_some(), "{format:?}");
    }
    assert!(document("\u{feff}a = 1", Format::Toml, "f").unwrap().get("a").is_some());
}

/// Text made of what the notations give a meaning to.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "a", "b: ", "- ", "[", "]", "{", "}", "\"", "'", ":", ",", "\n", "\n  ", " ", "&x ", "*x", "<<: ", "1", "-",
        ".", "=", "true", "null", "#", "|", ">", "!", "%", "?", "\\", "\t", "ä", "€", "[[", "]]", "\u{0}", "\r\n",
        "---\n", "~", "@", "`",
    ]);
    prop::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn documents(text in scraps()) {
        for format in [Format::Yaml, Format::Toml, Format::Json] {
            match document(&text, format, "f") {
                Ok(node) => {
                    // Decoding may fail but must answer, and every error must have a place.
                    let errors = node.decode::<Configuration>().err().map(|errors| errors.0).unwrap_or_default();
                    prop_assert!(errors.iter().all(|error| error.at != Origin::Unknown), "{errors:?}");
                }
                Err(errors) => {
                    prop_assert!(!errors.0.is_empty());
                    prop_assert!(errors.0.iter().all(|error| error.at != Origin::Unknown), "{errors:?}");
                }
            }
        }
    }

    #[test]
    fn pairs(rest in "[a-z.\\[\\]0-9ä_/-]{0,20}", text in ".*") {
        let label = format!("traefik.http.{rest}");
        if let Ok(node) = labels::read([(label.as_str(), text.as_str())], "c", &labels::DYNAMIC) {
            let _ = node.decode::<Configuration>();
        }
        let key = format!("traefik/http/{rest}");
        if let Ok(node) = kv::read([(key.as_str(), text.as_str())], "traefik", &["http"], "store") {
            let _ = node.decode::<Configuration>();
        }
        let variable = format!("TRAEFIK_HTTP_{rest}");
        let _ = env::read([(variable.as_str(), text.as_str())], "TRAEFIK_", &["http"]);
        let flag = format!("--http.{rest}");
        let _ = flags::read([flag.as_str(), text.as_str()], &Shape::default());
    }
}
