//! [`Tree`]: what the pairs mean, of which only what changed is decoded again.
//!
//! The pairs of one object (`http/routers/web/…`) are decoded by themselves, and kept. What must hold: the whole is what
//! decoding all pairs at once would be, mistakes included; where that is not certain, all are decoded at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trafficcop_config::ConfigErrors;
use trafficcop_config::dynamic::{Configuration, Objects};

use crate::Pairs;
use crate::pairs::decode;

/// Sections whose subsections hold objects by name.
const OF_OBJECTS: [&str; 3] = ["http", "tcp", "udp"];

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    root: String,
    store: &'static str,
    /// By section, kind and name, in lower case: upper and lower case are one to the reader.
    groups: BTreeMap<String, Group>,
    /// Everything else.
    rest: Group,
    /// Keys above objects that hold something themselves. How they and the objects go together is the reader's business.
    above: BTreeSet<String>,
}

/// What is decoded together.
#[derive(Debug, Default)]
struct Group {
    keys: BTreeSet<String>,
    said: Option<Result<Arc<Configuration>, ConfigErrors>>,
}

/// Where a key belongs.
enum Place {
    Object(String),
    Above,
    Rest,
}

impl Tree {
    pub(crate) fn new(root: &str, store: &'static str) -> Self {
        Self { root: root.to_owned(), store, ..Self::default() }
    }

    /// The key has another value than before, or none any more.
    pub(crate) fn changed(&mut self, key: &str, is_there: bool) {
        let group = match self.place(key) {
            Place::Above => {
                self.above.remove(key);
                self.above.extend(is_there.then(|| key.to_owned()));
                return;
            }
            Place::Rest => &mut self.rest,
            Place::Object(name) => {
                let group = self.groups.entry(name.clone()).or_default();
                if !is_there && group.keys.len() == 1 && group.keys.contains(key) {
                    self.groups.remove(&name);
                    return;
                }
                group
            }
        };
        group.said = None;
        if is_there {
            group.keys.insert(key.to_owned());
        } else {
            group.keys.remove(key);
        }
    }

    /// The other pairs take the place of the ones; both in their order.
    pub(crate) fn replaced(&mut self, known: &Pairs, by: &Pairs) {
        let mut old = known.iter().peekable();
        for (after, is) in by.iter() {
            while let Some((before, _)) = old.next_if(|(before, _)| *before < after) {
                self.changed(before, false);
            }
            let was = old.next_if(|(before, _)| *before == after);
            if was.is_none_or(|(_, was)| was != is) {
                self.changed(after, true);
            }
        }
        old.for_each(|(before, _)| self.changed(before, false));
    }

    /// What all pairs together mean. Whole or not at all.
    pub(crate) fn configuration(&mut self, pairs: &Pairs) -> Result<Configuration, ConfigErrors> {
        if !self.above.is_empty() {
            return pairs.configuration(&self.root, self.store);
        }
        let (mut whole, mut errors) = (Configuration::default(), Vec::new());
        for group in std::iter::once(&mut self.rest).chain(self.groups.values_mut()) {
            let Group { keys, said } = group;
            let said = said.get_or_insert_with(|| {
                let pairs = keys.iter().filter_map(|key| Some((key.as_str(), pairs.get(key)?)));
                decode(pairs, &self.root, self.store).map(Arc::new)
            });
            match said {
                Ok(part) => add(&mut whole, part),
                Err(found) => errors.extend(found.0.iter().cloned()),
            }
        }
        ConfigErrors(errors).into_result()?;
        Ok(whole)
    }

    fn place(&self, key: &str) -> Place {
        let below = key.trim_start_matches('/');
        let head = below.get(..self.root.len()).filter(|head| head.eq_ignore_ascii_case(&self.root));
        let Some(below) = head.map(|head| &below[head.len()..]) else { return Place::Rest };
        let mut steps = below.split('/').filter(|step| !step.is_empty());
        let Some(section) = steps.next() else { return Place::Rest };
        if !OF_OBJECTS.iter().any(|name| name.eq_ignore_ascii_case(section)) {
            return Place::Rest;
        }
        match (steps.next(), steps.next()) {
            (Some(kind), Some(name)) => Place::Object(format!("{section}/{kind}/{name}").to_lowercase()),
            _ => Place::Above,
        }
    }
}

fn add(whole: &mut Configuration, part: &Configuration) {
    if let Some(part) = &part.http {
        let whole = whole.http.get_or_insert_default();
        extend(&mut whole.routers, &part.routers);
        extend(&mut whole.services, &part.services);
        extend(&mut whole.middlewares, &part.middlewares);
        extend(&mut whole.models, &part.models);
        extend(&mut whole.servers_transports, &part.servers_transports);
    }
    if let Some(part) = &part.tcp {
        let whole = whole.tcp.get_or_insert_default();
        extend(&mut whole.routers, &part.routers);
        extend(&mut whole.services, &part.services);
        extend(&mut whole.middlewares, &part.middlewares);
        extend(&mut whole.models, &part.models);
        extend(&mut whole.servers_transports, &part.servers_transports);
    }
    if let Some(part) = &part.udp {
        let whole = whole.udp.get_or_insert_default();
        extend(&mut whole.routers, &part.routers);
        extend(&mut whole.services, &part.services);
        extend(&mut whole.middlewares, &part.middlewares);
    }
    if part.tls.is_some() {
        whole.tls.clone_from(&part.tls);
    }
}

fn extend<T: Clone>(whole: &mut Objects<T>, part: &Objects<T>) {
    whole.extend(part.iter().map(|(name, object)| (name.clone(), object.clone())));
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 16] = [
        "traefik/http/routers/a/rule",
        "traefik/http/routers/A/service",
        "Traefik/HTTP/routers/b/rule",
        "traefik/http/routers/b/middlewares/0",
        "traefik/http/routers/b/ruel",
        "traefik/http/services/s/loadBalancer/servers/0/url",
        "traefik/http/services/s/loadBalancer/servers/1/url",
        "traefik/http/middlewares/m/stripPrefix/prefixes",
        "traefik/http/rooters/x/rule",
        "traefik/tcp/routers/t/rule",
        "traefik/udp/services/u/loadBalancer/servers/0/address",
        "traefik/tls/options/o/minVersion",
        "traefik/tls/certificates/0/certFile",
        "traefik/http/routers",
        "traefik/acme/object",
        "elsewhere/http/routers/z/rule",
    ];

    /// Many changes, one after the other or as another whole: what follows is always what all pairs mean at once.
    #[test]
    fn the_parts_are_the_whole() {
        let mut seed = 7_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let (mut tree, mut pairs, mut good) = (Tree::new("traefik", "teststore"), Pairs::default(), 0);
        for turn in 0..3000 {
            let mut next = pairs.clone();
            for _ in 0..=random(3) {
                // What is wrong comes seldom.
                let key = KEYS[usize::try_from(random(16)).expect("it is small")];
                let is_wrong = key.contains("ruel") || key.contains("rooters") || key.ends_with("/routers");
                if random(3) == 0 || is_wrong && random(4) != 0 {
                    next.remove(key);
                } else {
                    let value = if random(40) == 0 { vec![0xff] } else { format!("v{}", random(3)).into_bytes() };
                    next.put(key.to_owned(), value).expect("it is small");
                }
            }
            if turn % 2 == 0 {
                tree.replaced(&pairs, &next);
            } else {
                for key in KEYS {
                    if pairs.get(key) != next.get(key) {
                        tree.changed(key, next.get(key).is_some());
                    }
                }
            }
            pairs = next;
            let (expected, shown) = (pairs.configuration("traefik", "teststore"), tree.configuration(&pairs));
            match (expected, shown) {
                (Ok(expected), Ok(shown)) => {
                    assert_eq!(shown, expected, "{pairs:?}");
                    good += 1;
                }
                (Err(expected), Err(shown)) => {
                    let words = |errors: &ConfigErrors| {
                        let mut words: Vec<_> = errors.0.iter().map(|error| error.to_string().to_lowercase()).collect();
                        words.sort();
                        words
                    };
                    // Bytes that are no text hide what else is wrong when all are decoded at once; and a section
                    // that is written in several ways is shown as the first key writes it.
                    let all = words(&shown);
                    assert!(words(&expected).iter().all(|word| all.contains(word)), "{expected}\n{shown}");
                }
                (expected, shown) => panic!("{expected:?}\n{shown:?}\n{pairs:?}"),
            }
        }
        assert!(good > 500, "only {good} were good");
    }
}
