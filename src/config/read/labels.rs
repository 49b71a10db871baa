//! Labels: `traefik.http.routers.web.rule=…`.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::tree::{Tree, steps};
use crate::{ConfigError, ConfigErrors, Node, Origin, Problem};

/// What of a workload's labels is dynamic configuration. The rest belongs to the provider.
pub const DYNAMIC: [&str; 4] = ["traefik.http", "traefik.tcp", "traefik.udp", "traefik.tls.stores.default"];

/// What Traefik leaves unread in labels, as it stands below the root word; `*` is any one name.
const NOT_IN_LABELS: [&[&str]; 13] = [
    &["http", "models"],
    &["http", "serverstransports"],
    &["http", "routers", "*", "parentrefs"],
    &["http", "services", "*", "highestrandomweight"],
    &["http", "services", "*", "weighted"],
    &["http", "services", "*", "mirroring"],
    &["http", "services", "*", "failover"],
    &["tcp", "models"],
    &["tcp", "serverstransports"],
    &["tcp", "services", "*", "weighted"],
    &["tcp", "services", "*", "loadbalancer", "server", "address"],
    &["udp", "services", "*", "weighted"],
    &["udp", "services", "*", "loadbalancer", "server", "address"],
];

/// Whether this label is one that labels cannot set, although files can: it is left unread, without an error.
pub fn has_no_effect(name: &str) -> bool {
    read_part(name).is_some()
}

/// What is read of a label that has no effect: the object that it belongs to exists nevertheless, so that
/// `services.a.weighted…` makes a service without a kind, which its provider then refuses.
fn read_part(name: &str) -> Option<&str> {
    let path: Vec<&str> = name.split('.').skip(1).collect();
    let fits = |pattern: &&&[&str]| {
        pattern.len() <= path.len()
            && pattern.iter().zip(&path).all(|(known, step)| *known == "*" || known.eq_ignore_ascii_case(step))
    };
    let pattern = NOT_IN_LABELS.iter().find(fits)?;
    name.match_indices('.').nth(pattern.len() - 1).map(|(end, _)| &name[..end])
}

/// Reads those labels that begin, in any case, with one of `prefixes`. The node begins below the root word.
///
/// The root word itself must have exactly the case that the prefixes have. Of names that differ only in case the first
/// in the order of the alphabet gives the spelling and the last the value.
pub fn read<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    owner: &str,
    prefixes: &[&str],
) -> Result<Node, ConfigErrors> {
    let owner: Arc<str> = owner.into();
    let starts = |name: &str, prefix: &&str| {
        name.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    let mut ours: Vec<_> =
        pairs.into_iter().filter(|(name, _)| prefixes.iter().any(|prefix| starts(name, prefix))).collect();
    ours.sort_unstable();
    let mut tree = Tree::default();
    let mut errors = Vec::new();
    for (name, text) in ours {
        let at = Origin::Label { owner: Arc::clone(&owner), label: name.into() };
        let object = read_part(name);
        match below_root(object.unwrap_or(name), prefixes, &at) {
            Ok(path) if object.is_some() => tree.open(path, &at),
            Ok(path) => tree.insert(path, text, &at),
            Err(wrong) => errors.extend(wrong.0),
        }
    }
    ConfigErrors(errors).into_result()?;
    Ok(tree.into_node())
}

fn below_root<'n>(name: &'n str, prefixes: &[&str], at: &Origin) -> Result<Vec<&'n str>, ConfigErrors> {
    let path = steps(name, at)?;
    let root = path.first().copied().unwrap_or_default();
    if !prefixes.iter().any(|prefix| prefix.split('.').next() == Some(root)) {
        let expected = prefixes.first().and_then(|prefix| prefix.split('.').next()).unwrap_or_default().to_owned();
        let problem = Problem::BadValue {
            found: root.to_owned(),
            expected: "the root word of labels".into(),
            nearest: Some(expected),
        };
        return Err(ConfigError { at: at.clone(), path: String::new(), problem }.into());
    }
    single_server(path[1..].to_vec(), at)
}

/// `loadbalancer.server.port`: labels describe the one server that their workload is, everywhere else there is a list.
fn single_server<'n>(path: Vec<&'n str>, at: &Origin) -> Result<Vec<&'n str>, ConfigErrors> {
    let is = |index: usize, word: &str| path.get(index).is_some_and(|step| step.eq_ignore_ascii_case(word));
    let protocol = is(0, "http") || is(0, "tcp") || is(0, "udp");
    if !(protocol && is(1, "services") && is(3, "loadbalancer")) {
        return Ok(path);
    }
    if is(4, "servers") {
        let problem = Problem::UnknownField { field: path[4].to_owned(), nearest: Some("server".into()) };
        return Err(ConfigError { at: at.clone(), path: path[..5].join("."), problem }.into());
    }
    if !is(4, "server") {
        return Ok(path);
    }
    Ok([&path[..4], &["servers", "[0]"], &path[5..]].concat())
}
