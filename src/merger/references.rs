//! Which router is served on which entry points, and who uses what.

use std::collections::BTreeMap;
use std::sync::Arc;

use trafficcop_config::Name;

use crate::context::Context;
use crate::merged::{Map, Merged, Object};
use crate::{Note, hint};

pub(crate) fn find(merged: &mut Merged, context: &Context) {
    let tcp: Vec<Arc<str>> = context.tcp().map(Arc::from).collect();
    let udp: Vec<Arc<str>> = context.udp().map(Arc::from).collect();
    // Holds each qualified name for as long as it is looked up.
    let mut text = String::new();
    let http = &mut merged.http;
    for (name, router) in &mut http.routers {
        let is_root = router.object.settings.parent_refs.is_empty();
        let settings = router.object.settings.clone();
        bind("http", name, &mut router.object, &settings.entry_points, &tcp, is_root);
        for middleware in &settings.middlewares {
            used_by(&mut http.middlewares, middleware, name, &mut text);
        }
        used_by(&mut http.services, &settings.service, name, &mut text);
    }
    sort(&mut http.middlewares);
    sort(&mut http.services);

    for (name, router) in &mut merged.tcp.routers {
        let settings = router.settings.clone();
        bind("tcp", name, router, &settings.entry_points, &tcp, true);
        used_by(&mut merged.tcp.services, &settings.service, name, &mut text);
    }
    sort(&mut merged.tcp.services);

    let all_of_udp: Vec<String> = context.udp().map(str::to_owned).collect();
    for (name, router) in &mut merged.udp.routers {
        let settings = router.settings.clone();
        let own = &settings.entry_points;
        bind("udp", name, router, if own.is_empty() { &all_of_udp } else { own }, &udp, true);
        used_by(&mut merged.udp.services, &settings.service, name, &mut text);
    }
    sort(&mut merged.udp.services);
}

/// Notes on which of the entry points it wants a router is served.
fn bind<T>(protocol: &str, name: &Name, router: &mut Object<T>, wanted: &[String], known: &[Arc<str>], must: bool) {
    let path = || format!("{protocol}.routers.{}.entryPoints", name.local());
    let at = &router.settings.at;
    for entry_point in wanted {
        if let Some(found) = known.iter().find(|known| ***known == **entry_point) {
            router.used.push(Arc::clone(found));
        } else {
            let message = format!("entryPoint {entry_point:?} doesn't exist");
            let hint = hint(entry_point, known.iter().map(|known| &**known));
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

fn used_by<T>(objects: &mut Map<T>, reference: &str, user: &Name, qualified: &mut String) {
    let mut name = reference;
    if !name.contains('@') {
        qualified.clear();
        qualified.extend([reference, "@", user.provider()]);
        name = qualified;
    }
    if let Some(object) = objects.get_mut(name) {
        object.used.push(user.shared());
    }
}

fn sort<T>(objects: &mut BTreeMap<Name, Object<T>>) {
    for object in objects.values_mut() {
        object.used.sort();
    }
}
