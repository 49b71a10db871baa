//! Which router is served on which entry points, and who uses what.

use std::collections::BTreeMap;

use trafficcop_config::{At, Name};

use crate::context::Context;
use crate::merged::{Map, Merged, Object};
use crate::{Note, hint};

pub(crate) fn find(merged: &mut Merged, context: &Context) {
    let tcp: Vec<&str> = context.tcp().collect();
    let udp: Vec<&str> = context.udp().collect();
    let http = &mut merged.http;
    for (name, router) in &mut http.routers {
        let settings = &router.object.settings;
        let is_root = settings.parent_refs.is_empty();
        let wanted = settings.entry_points.clone();
        bind("http", name, &mut router.object, &wanted, &tcp, is_root);
        for middleware in &router.object.settings.middlewares {
            used_by(&mut http.middlewares, middleware, name);
        }
        used_by(&mut http.services, &router.object.settings.service, name);
    }
    sort(&mut http.middlewares);
    sort(&mut http.services);

    for (name, router) in &mut merged.tcp.routers {
        let wanted = router.settings.entry_points.clone();
        bind("tcp", name, router, &wanted, &tcp, true);
        used_by(&mut merged.tcp.services, &router.settings.service, name);
    }
    sort(&mut merged.tcp.services);

    for (name, router) in &mut merged.udp.routers {
        let own = router.settings.entry_points.clone();
        let wanted = if own.is_empty() { udp.iter().map(ToString::to_string).collect() } else { own };
        bind("udp", name, router, &wanted, &udp, true);
        used_by(&mut merged.udp.services, &router.settings.service, name);
    }
    sort(&mut merged.udp.services);
}

/// Notes on which of the entry points it wants a router is served.
fn bind<T>(protocol: &str, name: &Name, router: &mut Object<T>, wanted: &[String], known: &[&str], must: bool) {
    let path = || format!("{protocol}.routers.{}.entryPoints", name.local());
    let At { at, .. } = &router.settings;
    for entry_point in wanted {
        if known.contains(&entry_point.as_str()) {
            router.used.push(entry_point.clone());
        } else {
            let message = format!("entryPoint {entry_point:?} doesn't exist");
            let hint = hint(entry_point, known.iter().copied());
            push_once(&mut router.notes, Note::warning(at, path(), message, hint));
        }
    }
    if must && router.used.is_empty() {
        let message = "no valid entryPoint for this router";
        router.notes.push(Note::error(at, path(), message, None));
    }
    router.used.sort();
    router.used.dedup();
}

fn push_once(notes: &mut Vec<Note>, note: Note) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}

fn used_by<T>(objects: &mut Map<T>, reference: &str, user: &Name) {
    if let Some(object) = objects.get_mut(&Name::qualify(reference, user.provider())) {
        object.used.push(user.to_string());
    }
}

fn sort<T>(objects: &mut BTreeMap<Name, Object<T>>) {
    for object in objects.values_mut() {
        object.used.sort();
    }
}
