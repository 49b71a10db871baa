//! Routers below routers: who is whose child, which cycles are cut, and who can be reached at all.

use std::collections::{BTreeMap, BTreeSet};

use trafficcop_config::Name;

use crate::merged::HttpRouter;
use crate::{Note, nearest};

type Routers = BTreeMap<Name, HttpRouter>;

/// Fills in the children of every router and notes what is wrong with the tree.
pub(crate) fn grow(routers: &mut Routers) {
    let is_flat = routers.values().all(|router| router.object.settings.parent_refs.is_empty());
    if !is_flat {
        find_children(routers);
        let mut walk = Walk { routers, visited: BTreeSet::new(), path: Vec::new() };
        let roots: Vec<Name> = (walk.routers.iter())
            .filter(|(_, router)| router.object.settings.parent_refs.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        for root in &roots {
            walk.visit(root);
        }
        let visited = walk.visited;
        for (name, router) in routers.iter_mut().filter(|(name, _)| !visited.contains(*name)) {
            note(name, router, "parentRefs", "router is not reachable".to_owned(), None);
        }
    }
    for (name, router) in routers {
        if router.object.notes.iter().any(|note| note.message == "router is not reachable") {
            continue;
        }
        match (router.object.settings.service.is_empty(), router.children.is_empty()) {
            (true, true) => {
                note(name, router, "service", "router has no service and no child routers".to_owned(), None);
            }
            (false, false) => {
                let message = "router has both a service and is referenced as a parent by other routers".to_owned();
                let children: Vec<_> = router.children.iter().map(Name::as_str).collect();
                let hint = format!("its children: {}", children.join(", "));
                note(name, router, "service", message, Some(hint));
            }
            _ => {}
        }
    }
}

fn note(name: &Name, router: &mut HttpRouter, field: &str, message: String, hint: Option<String>) {
    let path = format!("http.routers.{}.{field}", name.local());
    router.object.notes.push(Note::error(&router.object.settings.at, path, message, hint));
}

fn find_children(routers: &mut Routers) {
    let mut families: Vec<(Name, Name)> = Vec::new();
    let mut orphans: Vec<(Name, String, Option<String>)> = Vec::new();
    for (name, router) in routers.iter() {
        for parent in &router.object.settings.parent_refs {
            let parent = Name::qualify(parent, name.provider());
            if routers.contains_key(&parent) {
                families.push((parent, name.clone()));
            } else {
                let hint = nearest(&parent, routers.keys());
                orphans.push((name.clone(), parent.to_string(), hint));
            }
        }
    }
    for (parent, child) in families {
        let children = routers.get_mut(&parent).map(|parent| &mut parent.children);
        if let Some(children) = children.filter(|children| !children.contains(&child)) {
            children.push(child);
        }
    }
    for (child, parent, hint) in orphans {
        if let Some(router) = routers.get_mut(&child) {
            note(&child, router, "parentRefs", format!("parent router {parent:?} does not exist"), hint);
        }
    }
    for (name, router) in routers.iter_mut().filter(|(_, router)| !router.object.settings.parent_refs.is_empty()) {
        let settings = &router.object.settings;
        let wrong = if settings.tls.is_some() {
            Some(("tls", "non-root router cannot have TLS configuration"))
        } else if settings.observability.is_some() {
            Some(("observability", "non-root router cannot have Observability configuration"))
        } else if !settings.entry_points.is_empty() {
            Some(("entryPoints", "non-root router cannot have Entrypoints configuration"))
        } else {
            None
        };
        if let Some((field, message)) = wrong {
            note(name, router, field, message.to_owned(), None);
        }
    }
}

struct Walk<'a> {
    routers: &'a mut Routers,
    visited: BTreeSet<Name>,
    path: Vec<Name>,
}

impl Walk<'_> {
    /// Depth first, children by name. A child that is already on the path closes a cycle: it is taken from the router
    /// that names it last.
    fn visit(&mut self, name: &Name) {
        if let Some(start) = self.path.iter().position(|on_path| on_path == name) {
            self.cut(start, name);
            return;
        }
        let Some(router) = self.routers.get(name) else { return };
        let children = router.children.clone();
        if !self.visited.insert(name.clone()) {
            return;
        }
        self.path.push(name.clone());
        for child in &children {
            self.visit(child);
        }
        self.path.pop();
    }

    fn cut(&mut self, start: usize, victim: &Name) {
        let cycle: Vec<_> = self.path[start..].iter().chain([victim]).map(Name::as_str).collect();
        let message = format!("cyclic reference detected in router tree: {}", cycle.join(" -> "));
        let Some(guilty) = self.path.last().cloned() else { return };
        if let Some(router) = self.routers.get_mut(&guilty) {
            let path = format!("http.routers.{}.parentRefs", victim.local());
            router.object.notes.push(Note::warning(&router.object.settings.at, path, message, None));
            router.children.retain(|child| child != victim);
        }
    }
}
