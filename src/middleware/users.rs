//! User lists of basicAuth and digestAuth: inline entries and a file.

use std::collections::BTreeMap;
use std::fs;

use crate::BuildError;

/// Name → the rest of the entry. The entries of the configuration override those of the file.
pub(crate) fn load(
    inline: &[String],
    file: &str,
    split: impl Fn(&str) -> Result<(String, String), String>,
) -> Result<BTreeMap<String, String>, BuildError> {
    let mut lines = Vec::new();
    if !file.is_empty() {
        let text = fs::read_to_string(file)
            .map_err(|error| BuildError::invalid(format!("cannot read usersFile {file}: {error}")))?;
        lines.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(ToOwned::to_owned),
        );
    }
    lines.extend(inline.iter().cloned());
    let users: BTreeMap<_, _> =
        lines.iter().map(|line| split(line)).collect::<Result<_, _>>().map_err(BuildError::Invalid)?;
    if users.is_empty() {
        return Err(BuildError::invalid("no users found: neither users nor usersFile holds one"));
    }
    Ok(users)
}
