//! Pairs of a key-value store: `traefik/http/routers/web/rule`.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::tree::Tree;
use super::{MAX_DEPTH, syntax};
use crate::{ConfigErrors, Node, Origin};

/// Reads the pairs below `root`, as far as they lie in one of `sections` (compared without regard to case). A root
/// that holds nothing is an empty map: an empty configuration. `store` is what places are called.
pub fn read<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    root: &str,
    sections: &[&str],
    store: &str,
) -> Result<Node, ConfigErrors> {
    let store: Arc<str> = store.into();
    let root = root.trim_matches('/');
    let mut sorted: Vec<_> = pairs.into_iter().collect();
    sorted.sort_unstable();
    let mut tree = Tree::default();
    let mut errors = Vec::new();
    for (key, text) in sorted {
        let Some(below) = below(key, root) else { continue };
        let path: Vec<&str> = below.split('/').filter(|step| !step.is_empty()).collect();
        let ours = path.first().is_some_and(|first| sections.iter().any(|name| name.eq_ignore_ascii_case(first)));
        if !ours {
            continue;
        }
        let at = Origin::Key { store: Arc::clone(&store), key: key.into() };
        if path.len() > MAX_DEPTH {
            errors.push(syntax(at, format!("nested deeper than {MAX_DEPTH} levels")));
        } else {
            tree.insert(path, text, &at);
        }
    }
    ConfigErrors(errors).into_result()?;
    Ok(tree.into_node())
}

fn below<'k>(key: &'k str, root: &str) -> Option<&'k str> {
    let key = key.trim_start_matches('/');
    let head = key.get(..root.len()).filter(|head| head.eq_ignore_ascii_case(root))?;
    let rest = &key[head.len()..];
    (root.is_empty() || rest.starts_with('/')).then_some(rest)
}
