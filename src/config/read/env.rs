//! Environment variables: `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS`.
//!
//! Names are lower-cased and `_` separates, so what is named this way (an entry point) is in lower case and holds no
//! `_`. A place in a list is `_0_` or `[0]`.

use super::tree::{Tree, steps};
use crate::{ConfigErrors, Node, Origin};

/// Reads the variables whose name begins with `prefix` and, after it, with one of `sections` in any case; the rest
/// may belong to somebody else. The prefix ends in `_`.
pub fn read<'a>(
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    prefix: &str,
    sections: &[&str],
) -> Result<Node, ConfigErrors> {
    let mut found: Vec<(String, &str, &str)> = variables
        .into_iter()
        .filter_map(|(name, text)| Some((below(name, prefix)?.to_ascii_lowercase().replace('_', "."), name, text)))
        .filter(|(path, ..)| sections.iter().any(|section| path.starts_with(&section.to_ascii_lowercase())))
        .collect();
    found.sort_unstable();
    let mut tree = Tree::default();
    let mut errors = Vec::new();
    for (path, name, text) in &found {
        let at = Origin::Variable((*name).into());
        match steps(path, &at) {
            Ok(path) => tree.insert(path, text, &at),
            Err(wrong) => errors.extend(wrong.0),
        }
    }
    ConfigErrors(errors).into_result()?;
    Ok(tree.into_node())
}

fn below<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let head = name.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix))?;
    Some(&name[head.len()..])
}

#[cfg(test)]
mod tests {
    use crate::read::{Format, document};

    #[track_caller]
    fn check(variables: &[(&str, &str)], yaml: &str) {
        let node = super::read(variables.iter().copied(), "TRAEFIK_", &["api", "ping", "entryPoints"]);
        assert_eq!(node.unwrap(), document(yaml, Format::Yaml, "expected").unwrap());
    }

    #[test]
    fn names_become_paths() {
        check(&[("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":80")], "entrypoints: {web: {address: ':80'}}");
        check(&[("TRAEFIK_PING", "true"), ("TRAEFIK_API_INSECURE", "1")], "{api: {insecure: '1'}, ping: 'true'}");
        check(
            &[("TRAEFIK_ENTRYPOINTS_S_HTTP_TLS_DOMAINS_0_MAIN", "a.test")],
            "entrypoints: {s: {http: {tls: {domains: {'0': {main: a.test}}}}}}",
        );
        check(
            &[("TRAEFIK_ENTRYPOINTS_S_HTTP_TLS_DOMAINS[0]_MAIN", "a.test")],
            "entrypoints: {s: {http: {tls: {domains: [{main: a.test}]}}}}",
        );
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        check(&[("PATH", "/bin"), ("TRAEFIK_VERSION", "3"), ("TRAEFIK_", "")], "{}");
    }

    #[test]
    fn a_name_with_a_gap_is_an_error_with_its_place() {
        let errors = super::read([("TRAEFIK_API__INSECURE", "true")], "TRAEFIK_", &["api"]).unwrap_err();
        assert_eq!(errors.0[0].at.to_string(), "variable TRAEFIK_API__INSECURE");
    }
}
