//! [`Contents`]: what `acme.json` says, as Traefik reads and writes it.
//!
//! Traefik's accounts have RSA keys, ours cannot: Traefik's account stays in the file untouched, and ours stands beside
//! it under a key that Traefik skips. Should Traefik drop it by writing the file, we write it again with the next change.
//! What neither of us knows stays as it was.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// By resolver.
pub(crate) type Contents = BTreeMap<String, Stored>;

/// What is kept of one resolver.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Stored {
    /// Traefik's own, kept as it is.
    #[serde(rename = "Account", default)]
    pub(crate) account: Value,
    #[serde(rename = "Certificates", default)]
    pub(crate) certificates: Option<Vec<Certificate>>,
    /// Ours.
    #[serde(rename = "TrafficCopAccount", default, skip_serializing_if = "Option::is_none")]
    pub(crate) own: Option<Own>,
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

/// Our account and where it holds.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Own {
    pub(crate) email: String,
    pub(crate) directory: String,
    pub(crate) credentials: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Certificate {
    pub(crate) domain: Domain,
    /// PEM in base64.
    #[serde(rename = "certificate")]
    pub(crate) chain: String,
    pub(crate) key: String,
    #[serde(rename = "Store", default)]
    pub(crate) store: String,
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) struct Domain {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) main: String,
    #[serde(default, skip_serializing_if = "is_empty", deserialize_with = "list")]
    pub(crate) sans: Vec<String>,
}

fn is_empty(names: &[String]) -> bool {
    names.is_empty()
}

/// Go writes a list of nothing as `null`.
fn list<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

impl Domain {
    pub(crate) fn names(&self) -> Vec<String> {
        std::iter::once(&self.main).filter(|main| !main.is_empty()).chain(&self.sans).cloned().collect()
    }
}

impl Certificate {
    pub(crate) fn new(names: &[String], chain: &str, key: &str) -> Self {
        let (main, sans) = names.split_first().map(|(main, sans)| (main.clone(), sans.to_vec())).unwrap_or_default();
        let (chain, key) = (STANDARD.encode(chain), STANDARD.encode(key));
        Self { domain: Domain { main, sans }, chain, key, store: "default".into(), other: Map::new() }
    }

    /// Chain and key in PEM.
    pub(crate) fn pem(&self) -> Option<(String, String)> {
        let text = |part: &str| STANDARD.decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Some((text(&self.chain)?, text(&self.key)?))
    }
}

/// Something new that must not be lost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Account { resolver: String, own: Own },
    Certificate { resolver: String, certificate: Certificate },
}

impl Change {
    /// Whether this one is what the other was about.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Account { resolver, .. }, Self::Account { resolver: other, .. }) => resolver == other,
            (
                Self::Certificate { resolver, certificate },
                Self::Certificate { resolver: other, certificate: before },
            ) => resolver == other && certificate.domain == before.domain,
            _ => false,
        }
    }

    pub(crate) fn apply(&self, contents: &mut Contents) {
        match self {
            Self::Account { resolver, own } => {
                contents.entry(resolver.clone()).or_default().own = Some(own.clone());
            }
            Self::Certificate { resolver, certificate } => {
                let stored = contents.entry(resolver.clone()).or_default();
                let certificates = stored.certificates.get_or_insert_default();
                match certificates.iter_mut().find(|kept| kept.domain == certificate.domain) {
                    Some(kept) => {
                        kept.chain.clone_from(&certificate.chain);
                        kept.key.clone_from(&certificate.key);
                    }
                    None => certificates.push(certificate.clone()),
                }
            }
        }
    }
}

/// Reads a file's text; an empty file says nothing.
pub(crate) fn read(text: &[u8]) -> Result<Contents, serde_json::Error> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(Contents::new());
    }
    serde_json::from_slice(text)
}

/// Exactly what Go's `MarshalIndent` writes: two spaces, no newline at the end, `<`, `>` and `&` escaped.
pub(crate) fn write(contents: &Contents) -> String {
    let text = serde_json::to_string_pretty(contents).unwrap_or_default();
    text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_TRAEFIK: &str = r#"{
  "le": {
    "Account": {
      "Email": "a@b.test",
      "Registration": {
        "body": {
          "status": "valid",
          "contact": [
            "mailto:a@b.test"
          ]
        },
        "uri": "https://127.0.0.1:14000/my-account/1"
      },
      "PrivateKey": "MIIJ",
      "KeyType": "4096"
    },
    "Certificates": [
      {
        "domain": {
          "main": "a.test",
          "sans": [
            "b.test"
          ]
        },
        "certificate": "Y2hhaW4=",
        "key": "a2V5",
        "Store": "default"
      }
    ]
  },
  "other": {
    "Account": null,
    "Certificates": null
  }
}"#;

    #[test]
    fn what_traefik_wrote_is_written_back_byte_for_byte() {
        let contents = read(OF_TRAEFIK.as_bytes()).unwrap();
        assert_eq!(write(&contents), OF_TRAEFIK);
        let kept = &contents["le"].certificates.as_ref().unwrap()[0];
        assert_eq!(kept.pem(), Some(("chain".into(), "key".into())));
        assert_eq!(kept.domain.names(), ["a.test", "b.test"]);
    }

    #[test]
    fn what_is_unknown_stays() {
        let text = OF_TRAEFIK
            .replace("\"Certificates\": null", "\"Certificates\": null,\n    \"Later\": \"\\u003ca\\u0026b\\u003e\"");
        assert_eq!(write(&read(text.as_bytes()).unwrap()), text);
    }

    #[test]
    fn a_renewed_certificate_takes_its_place_and_an_account_stands_beside() {
        let mut contents = read(OF_TRAEFIK.as_bytes()).unwrap();
        let certificate = Certificate::new(&["a.test".into(), "b.test".into()], "new", "newer");
        let change = Change::Certificate { resolver: "le".into(), certificate };
        change.apply(&mut contents);
        assert!(change.replaces(&change.clone()));
        let own = Own { email: String::new(), directory: "d".into(), credentials: Value::Null };
        Change::Account { resolver: "le".into(), own }.apply(&mut contents);
        let stored = &contents["le"];
        assert_eq!(stored.certificates.as_ref().unwrap().len(), 1);
        assert_eq!(stored.certificates.as_ref().unwrap()[0].pem(), Some(("new".into(), "newer".into())));
        assert_eq!(stored.account["KeyType"], "4096");
        assert!(stored.own.is_some());
    }

    #[test]
    fn an_empty_file_says_nothing() {
        assert!(read(b" \n").unwrap().is_empty());
        assert!(read(b"{").is_err());
    }
}
