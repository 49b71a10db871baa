//! Roles and scopes that parts of a site demand.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::claims::{self, Claims};

/// What one path and everything below it demands.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Access {
    /// `/` is everything.
    pub(super) path: String,
    /// One of these is needed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    /// All of these are needed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
}

/// Every entry that the path falls under must be satisfied.
pub(super) fn permits(entries: &[Access], path: &str, claims: &Claims, roles_claim: &str) -> bool {
    let segments = if entries.is_empty() { Vec::new() } else { segments(path) };
    let mut asked = entries.iter().filter(|entry| segments.starts_with(&self::segments(&entry.path)));
    asked.all(|entry| {
        let roles = claims::words(claims::find(claims, roles_claim));
        let scopes = claims::words(claims.get("scope").or_else(|| claims.get("scp")));
        (entry.roles.is_empty() || entry.roles.iter().any(|role| roles.contains(role)))
            && entry.scopes.iter().all(|scope| scopes.contains(scope))
    })
}

/// As a server would see them at the most generous reading: no spelling of a path gets round its entry.
fn segments(path: &str) -> Vec<String> {
    let decoded = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
    let mut segments = Vec::new();
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other.to_owned()),
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, claims: &str, expected: bool) {
        let entry = |path: &str, roles: &[&str], scopes: &[&str]| Access {
            path: path.into(),
            roles: roles.iter().map(ToString::to_string).collect(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
        };
        let entries = [entry("/admin", &["admin", "root"], &[]), entry("/api", &[], &["read", "write"])];
        let claims: Claims = serde_json::from_str(claims).expect("claims");
        assert_eq!(permits(&entries, path, &claims, "realm.roles"), expected, "{path}");
    }

    #[test]
    fn roles_and_scopes() {
        check("/", "{}", true);
        check("/admin", "{}", false);
        check("/administration", "{}", true);
        check("/admin/x", r#"{"realm":{"roles":["root"]}}"#, true);
        check("/api", r#"{"scope":"write read"}"#, true);
        check("/api", r#"{"scp":["read"]}"#, false);
    }

    #[test]
    fn no_spelling_gets_round() {
        for path in ["//admin", "/%61dmin", "/x/../admin", "/admin%2Fx", "/./admin/", "/x%5C..%5Cadmin"] {
            check(path, "{}", false);
        }
    }
}
