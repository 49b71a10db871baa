//! [`Storage`]: `acme.json`, as Traefik reads and writes it.
//!
//! Traefik's accounts have RSA keys, ours cannot: Traefik's account stays in the file untouched, and ours stands beside
//! it under a key that Traefik skips. Should Traefik drop it by writing the file, we register once more.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the file says of one resolver.
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
    pub(crate) certificate: String,
    pub(crate) key: String,
    #[serde(rename = "Store", default)]
    pub(crate) store: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Domain {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) main: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sans: Vec<String>,
}

impl Domain {
    pub(crate) fn names(&self) -> Vec<String> {
        std::iter::once(&self.main).filter(|main| !main.is_empty()).chain(&self.sans).cloned().collect()
    }
}

impl Certificate {
    pub(crate) fn new(names: &[String], chain: &str, key: &str) -> Self {
        let domain = Domain { main: names[0].clone(), sans: names[1..].to_vec() };
        Self { domain, certificate: STANDARD.encode(chain), key: STANDARD.encode(key), store: "default".into() }
    }

    /// Chain and key in PEM.
    pub(crate) fn pem(&self) -> Option<(String, String)> {
        let text = |part: &str| STANDARD.decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Some((text(&self.certificate)?, text(&self.key)?))
    }
}

/// By resolver.
pub(crate) type Contents = BTreeMap<String, Stored>;

pub(crate) struct Storage {
    path: PathBuf,
}

impl Storage {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A missing file is made, so that a folder that cannot be written is noticed at once. One that others can read is
    /// refused, as by Traefik.
    pub(crate) fn load(&self) -> Result<Contents, String> {
        let told = |error: io::Error| format!("{}: {error}", self.path.display());
        if !self.path.exists() {
            create(&self.path).map_err(told)?;
            return Ok(Contents::new());
        }
        check_mode(&self.path)?;
        let text = std::fs::read(&self.path).map_err(told)?;
        if text.is_empty() {
            return Ok(Contents::new());
        }
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Replaces the file at once. One that is a mount of its own cannot be replaced and is written over.
    pub(crate) fn save(&self, contents: &Contents) -> Result<(), String> {
        let told = |error: io::Error| format!("{}: {error}", self.path.display());
        let text = write(contents);
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let replaced = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        });
        replaced.or_else(|_| std::fs::write(&self.path, &text)).map_err(told)
    }
}

/// Exactly what Go's `MarshalIndent` writes: two spaces, no newline at the end, `<`, `>` and `&` escaped.
fn write(contents: &Contents) -> String {
    let text = serde_json::to_string_pretty(contents).unwrap_or_default();
    text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

fn create(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!("permissions {:o} for {} are too open, please use 600", mode & 0o777, path.display()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), String> {
    Ok(())
}
