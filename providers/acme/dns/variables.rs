//! [`Variables`]: what the environment says to a DNS provider; `NAME_FILE` names a file that holds what `NAME` would.

use std::collections::BTreeMap;
use std::time::Duration;

/// The variables of the process, or those of a test.
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(super) fn of_process() -> Self {
        let pairs = std::env::vars_os();
        Self(pairs.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect())
    }

    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The value of a variable that is set and not empty, or the content of the file that it names.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        if let Some(value) = self.0.get(name).filter(|value| !value.is_empty()) {
            return Some(value.clone());
        }
        let path = self.0.get(&format!("{name}_FILE")).filter(|path| !path.is_empty())?;
        match std::fs::read_to_string(path) {
            Ok(content) => Some(content.trim_end_matches(['\r', '\n']).to_owned()).filter(|value| !value.is_empty()),
            Err(error) => {
                tracing::error!(path, %error, "The file that {name}_FILE names cannot be read.");
                None
            }
        }
    }

    /// One of several names for the same, of which lego knows the first best.
    pub(super) fn any(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.find(name))
    }

    pub(super) fn need(&self, names: &[&str]) -> Result<String, String> {
        self.any(names).ok_or_else(|| format!("the variable {} is missing", names.join(" or ")))
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.find(name)?.trim().parse().ok()
    }

    pub(super) fn seconds(&self, name: &str) -> Option<Duration> {
        self.number(name).map(Duration::from_secs)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.find(name).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "t" | "true"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_from_files_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "secret\n").unwrap();
        let path = path.to_str().unwrap();
        let variables =
            Variables::of(&[("A_FILE", path), ("B", "b"), ("C", ""), ("D_FILE", "/nowhere"), ("E", "True")]);
        assert_eq!(variables.find("A").as_deref(), Some("secret"));
        assert_eq!(variables.any(&["X", "B"]).as_deref(), Some("b"));
        assert_eq!(variables.find("C"), None);
        assert_eq!(variables.need(&["D", "DD"]), Err("the variable D or DD is missing".to_owned()));
        assert!(variables.is_set("E") && !variables.is_set("B"));
    }
}
