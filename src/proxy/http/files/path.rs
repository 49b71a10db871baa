//! From the path of a request to one within a folder.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

/// The decoded path, if it stays within the folder and names nothing hidden.
pub(super) fn relative(path: &str) -> Option<PathBuf> {
    let mut whole = PathBuf::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let name = percent_decode_str(segment).decode_utf8().ok()?;
        if name.contains(['/', '\\', '\0']) || is_hidden(&name) {
            return None;
        }
        whole.push(&*name);
    }
    Some(whole)
}

/// Dotfiles, `.` and `..`.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != ".well-known"
}

/// Whether a path within the folder may be seen: a link may lead to something hidden.
pub(super) fn is_public(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(name) if !is_hidden(&name.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_within() {
        let check =
            |path: &str, expected: Option<&str>| assert_eq!(relative(path), expected.map(PathBuf::from), "{path}");
        check("/a/b%20c.txt", Some("a/b c.txt"));
        check("//a//", Some("a"));
        check("/", Some(""));
        check("/.well-known/x", Some(".well-known/x"));
        for bad in ["/../x", "/%2e%2e/x", "/a/..%2fx", "/a%2fb", "/..%5cx", "/.git/config", "/a/.env", "/x%00", "/%ff"]
        {
            check(bad, None);
        }
    }
}
