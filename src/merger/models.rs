//! What entry points give to their routers: middlewares before the router's own, TLS, what is observed.
//!
//! A router on several entry points of which one has such defaults is split: one router for each of those entry points,
//! called `<entry point>-<name>`, and what is left under its own name.

use std::collections::BTreeMap;

use trafficcop_config::Name;
use trafficcop_config::dynamic::http::Model;

use crate::merge::tls_options;
use crate::merged::{HttpRouter, Merged};

/// The defaults of entry points, by their name.
#[derive(Default)]
pub(crate) struct Models {
    pub(crate) http: BTreeMap<String, Model>,
    /// What `core.defaultRuleSyntax` says, when it says something.
    pub(crate) default_rule_syntax: Option<String>,
}

pub(crate) fn apply(merged: &mut Merged, models: &Models) {
    if !models.http.is_empty() || models.default_rule_syntax.is_some() {
        apply_to_http(&mut merged.http.routers, models);
    }
    if let Some(syntax) = &models.default_rule_syntax {
        for router in merged.tcp.routers.values_mut() {
            if router.settings.rule_syntax.is_empty() {
                router.own().rule_syntax.clone_from(syntax);
            }
        }
    }
}

fn apply_to_http(routers: &mut BTreeMap<Name, HttpRouter>, models: &Models) {
    let mut split: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, mut router) in std::mem::take(routers) {
        if !router.object.settings.parent_refs.is_empty() {
            routers.insert(name, router);
            continue;
        }
        let settings = &router.object.settings;
        if let Some(syntax) = &models.default_rule_syntax
            && !settings.default_rule
            && settings.rule_syntax.is_empty()
        {
            router.object.own().rule_syntax.clone_from(syntax);
        }
        let asked = &router.object.settings.entry_points;
        if !asked.is_empty() && !asked.iter().any(|entry_point| models.http.contains_key(entry_point)) {
            routers.insert(name, router);
            continue;
        }
        let entry_points = std::mem::take(&mut router.object.own().entry_points);
        let is_one_of_several = entry_points.len() > 1;
        for entry_point in entry_points {
            let Some(model) = models.http.get(&entry_point) else {
                let rest = routers.entry(name.clone()).or_insert_with(|| router.clone());
                rest.object.own().entry_points.push(entry_point);
                continue;
            };
            let copy = with_model(router.clone(), &name, &entry_point, model);
            let mut own_name = name.clone();
            if is_one_of_several {
                let own = format!("{entry_point}-{name}");
                split.entry(name.to_string()).or_default().push(own.clone());
                own_name = Name::qualify(&own, "");
            }
            routers.insert(own_name, copy);
        }
    }
    lead_to_copies(routers, &split);
}

fn with_model(mut router: HttpRouter, name: &Name, entry_point: &str, model: &Model) -> HttpRouter {
    let settings = router.object.own();
    settings.entry_points = vec![entry_point.to_owned()];
    if settings.tls.is_none() {
        settings.tls.clone_from(&model.tls);
        router.tls_options = tls_options(settings.tls.as_ref(), name.provider());
    }
    settings.middlewares.splice(0..0, model.middlewares.iter().cloned());
    let observability = settings.observability.get_or_insert_default();
    let given = &model.observability;
    observability.access_logs = observability.access_logs.or(given.access_logs);
    observability.metrics = observability.metrics.or(given.metrics);
    observability.tracing = observability.tracing.or(given.tracing);
    if observability.trace_verbosity.is_empty() {
        observability.trace_verbosity.clone_from(&given.trace_verbosity);
    }
    router.model = Some(entry_point.to_owned());
    router
}

/// Children of a router that was split are children of all its parts. A parent that does not exist is forgotten here,
/// as Traefik does it.
fn lead_to_copies(routers: &mut BTreeMap<Name, HttpRouter>, split: &BTreeMap<String, Vec<String>>) {
    let children: Vec<Name> = (routers.iter())
        .filter(|(_, router)| !router.object.settings.parent_refs.is_empty())
        .map(|(name, _)| name.clone())
        .collect();
    for child in children {
        let refs = routers[&child].object.settings.parent_refs.clone();
        let mut parents = Vec::new();
        for parent in refs {
            if routers.contains_key(&Name::qualify(&parent, "")) {
                parents.push(parent.clone());
            }
            parents.extend(split.get(&parent).into_iter().flatten().cloned());
        }
        if let Some(router) = routers.get_mut(&child) {
            router.object.own().parent_refs = parents;
        }
    }
}
