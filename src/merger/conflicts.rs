//! TLS options are chosen by server name, before there is a request. So routers of one entry point that name the same
//! host must agree about them; those that do not get the default options, as a router of their own called
//! `<entry point>-conflicted-<name>`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trafficcop_config::Name;

use crate::merge::Hosts;
use crate::merged::{HttpRouter, Merged};
use crate::{Note, merge};

const DEFAULT: &str = "default";

pub(crate) fn settle(merged: &mut Merged, hosts: &mut Hosts<'_>) {
    let routers = &mut merged.http.routers;
    let conflicting = find(routers, hosts);
    for (name, entry_points) in conflicting {
        let Some(router) = routers.get_mut(&name) else { continue };
        let asked = merge::tls_options(router.object.settings.tls.as_ref(), name.provider());
        router.object.own().entry_points.retain(|entry_point| !entry_points.contains_key(entry_point));
        let copies: Vec<_> = (entry_points.into_iter())
            .map(|(entry_point, why)| {
                let mut copy = router.clone();
                let settings = copy.object.settings.clone();
                copy.tls_options = DEFAULT.into();
                let message = why.message(&settings.rule, &asked);
                let path = format!("http.routers.{}.tls.options", name.local());
                copy.object
                    .notes
                    .extend(message.map(|(message, hint)| Note::warning(&settings.at, path, message, hint)));
                copy.object.own().entry_points = vec![entry_point.clone()];
                (Name::qualify(&format!("{entry_point}-conflicted-{name}"), ""), copy)
            })
            .collect();
        if router.object.settings.entry_points.is_empty() {
            routers.remove(&name);
        }
        routers.extend(copies);
    }
}

/// Why the options of a router do not hold on an entry point.
enum Why {
    NoHost,
    /// Others name the same host with other options.
    Host {
        host: String,
        others: Vec<String>,
    },
}

impl Why {
    /// The words, and a hint; none for a router that asked for the default options anyway.
    fn message(&self, rule: &str, asked: &str) -> Option<(String, Option<String>)> {
        if asked == DEFAULT {
            return None;
        }
        Some(match self {
            Self::NoHost => (format!("no domain found in rule {rule}, the TLS option {asked} cannot be applied"), None),
            Self::Host { host, others } => (
                "router's TLSOptions configuration is conflicting with other routers on the same entrypoint and host, \
                 default TLS options will be used instead"
                    .to_owned(),
                Some(format!("the host is {host}, the others are {}", others.join(", "))),
            ),
        })
    }
}

type Conflicts = BTreeMap<Name, BTreeMap<String, Why>>;

/// Who names a host, by the options they ask for.
type Claims<'a> = BTreeMap<&'a str, Vec<&'a Name>>;

fn find(routers: &BTreeMap<Name, HttpRouter>, hosts: &mut Hosts<'_>) -> Conflicts {
    let mut conflicts = Conflicts::new();
    // Nearly always: where all ask for the same, nobody can disagree.
    let with_tls = || routers.values().filter(|router| router.object.settings.tls.is_some());
    if with_tls().all(|router| *router.tls_options == *DEFAULT) {
        return conflicts;
    }
    let mut claims: BTreeMap<(&str, Arc<str>), Claims<'_>> = BTreeMap::new();
    for (name, router) in routers {
        let settings = &router.object.settings;
        if settings.tls.is_none() {
            continue;
        }
        let Some(named) = hosts(&settings.rule, &settings.rule_syntax) else { continue };
        if named.is_empty() && *router.tls_options != *DEFAULT {
            let all = settings.entry_points.iter().map(|entry_point| (entry_point.clone(), Why::NoHost));
            conflicts.entry(name.clone()).or_default().extend(all);
        }
        for host in named.iter() {
            for entry_point in &settings.entry_points {
                let claim = claims.entry((entry_point, host.as_str().into())).or_default();
                claim.entry(&router.tls_options).or_default().push(name);
            }
        }
    }
    for ((entry_point, host), claim) in claims {
        if claim.len() < 2 {
            continue;
        }
        let all: BTreeSet<&Name> = claim.values().flatten().copied().collect();
        for name in &all {
            let others = all.iter().filter(|other| *other != name).map(ToString::to_string).collect();
            let why = Why::Host { host: host.to_string(), others };
            conflicts.entry((*name).clone()).or_default().insert(entry_point.to_owned(), why);
        }
    }
    conflicts
}
