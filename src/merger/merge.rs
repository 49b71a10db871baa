//! [`merge`]: names qualified by provider; duplicates and defaults settled; then the further steps in their order.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use trafficcop_config::dynamic::{Configuration, Objects, RouterTls, http, tcp, tls};
use trafficcop_config::{At, Name, Origin};

use crate::context::Context;
use crate::merged::{HttpRouter, Map, Merged, Object};
use crate::models::Models;
use crate::{Note, conflicts, models, references, tree};

/// The latest configuration of each provider, by its name.
pub type Configurations = BTreeMap<Arc<str>, Arc<Configuration>>;

/// The hosts that a rule names, for a rule and its `ruleSyntax`; None when the rule does not parse. Whoever knows the
/// rule language lends it.
pub type Hosts<'a> = dyn FnMut(&str, &str) -> Option<Arc<[String]>> + 'a;

/// The provider whose models count, and whose routers may have any priority.
const INTERNAL: &str = "internal";
/// The name that is the same for all providers.
const DEFAULT: &str = "default";
static DEFAULT_SHARED: LazyLock<Arc<str>> = LazyLock::new(|| DEFAULT.into());
/// Certificates of this store answer ACME's TLS challenge; only its own provider may bring them.
const ACME_TLS_STORE: &str = "acme-tls/1";
const ACME_TLS_PROVIDER: &str = "tlsalpn.acme";

/// Many configurations → one.
pub fn merge(configurations: &Configurations, context: &Context, hosts: &mut Hosts<'_>) -> Merged {
    let mut merged = Merged::default();
    let mut models = Models { http: BTreeMap::new(), default_rule_syntax: context.default_rule_syntax.clone() };
    let mut defaults = DefaultsOfTls::default();
    for (provider, configuration) in configurations {
        if let Some(http) = &configuration.http {
            gather_http(&mut merged, &mut models, provider, http, context);
        }
        if let Some(tcp) = &configuration.tcp {
            gather_tcp(&mut merged, provider, tcp, context);
        }
        if let Some(udp) = &configuration.udp {
            gather(&mut merged.udp.routers, provider, &udp.routers);
            gather(&mut merged.udp.services, provider, &udp.services);
            gather(&mut merged.udp.middlewares, provider, &udp.middlewares);
        }
        if let Some(tls) = &configuration.tls {
            gather_tls(&mut merged, &mut defaults, provider, tls);
        }
    }
    defaults.settle(&mut merged);
    models::apply(&mut merged, &models);
    conflicts::settle(&mut merged, hosts);
    tree::grow(&mut merged.http.routers);
    references::find(&mut merged, context);
    merged
}

/// The qualified name of an object that `provider` defines. What it calls it may hold an `@` of its own.
fn own_name(local: &str, provider: &str) -> Name {
    Name::new(local, provider)
}

fn gather<T: Clone>(into: &mut Map<T>, provider: &str, objects: &Objects<T>) {
    let named = objects.iter().map(|(name, object)| (own_name(name, provider), Object::new(object.clone())));
    add(into, named.collect());
}

/// All at once, which costs less than one after the other.
fn add<T>(into: &mut BTreeMap<Name, T>, mut objects: BTreeMap<Name, T>) {
    into.append(&mut objects);
}

fn gather_http(merged: &mut Merged, models: &mut Models, provider: &str, http: &http::Http, context: &Context) {
    let routers = http.routers.iter().map(|(name, router)| {
        let mut object = Object::new(router.clone());
        if router.parent_refs.is_empty() {
            if router.entry_points.is_empty() {
                object.own().entry_points = context.defaults().map(str::to_owned).collect();
            }
        } else {
            for parent in &mut object.own().parent_refs {
                *parent = Name::qualify(parent, provider).to_string();
            }
        }
        let tls_options = tls_options(router.tls.as_ref(), provider);
        (own_name(name, provider), HttpRouter { object, children: Vec::new(), model: None, tls_options })
    });
    add(&mut merged.http.routers, routers.collect());
    gather(&mut merged.http.services, provider, &http.services);
    gather(&mut merged.http.middlewares, provider, &http.middlewares);
    gather(&mut merged.http.servers_transports, provider, &http.servers_transports);
    if provider == INTERNAL {
        models.http.extend(http.models.iter().map(|(name, model)| (name.clone(), model.value.clone())));
    }
}

fn gather_tcp(merged: &mut Merged, provider: &str, tcp: &tcp::Tcp, context: &Context) {
    let routers = tcp.routers.iter().map(|(name, router)| {
        let mut object = Object::new(router.clone());
        if object.settings.entry_points.is_empty() {
            object.own().entry_points = context.defaults().map(str::to_owned).collect();
        }
        (own_name(name, provider), object)
    });
    add(&mut merged.tcp.routers, routers.collect());
    gather(&mut merged.tcp.services, provider, &tcp.services);
    gather(&mut merged.tcp.middlewares, provider, &tcp.middlewares);
    gather(&mut merged.tcp.servers_transports, provider, &tcp.servers_transports);
}

/// The qualified name of the options that a router asks for.
pub(crate) fn tls_options(tls: Option<&RouterTls>, provider: &str) -> Arc<str> {
    match tls {
        Some(tls) if !tls.options.is_empty() && tls.options != DEFAULT => {
            Name::qualify(&tls.options, provider).shared()
        }
        _ => Arc::clone(&DEFAULT_SHARED),
    }
}

fn gather_tls(merged: &mut Merged, defaults: &mut DefaultsOfTls, provider: &Arc<str>, tls: &tls::Tls) {
    let own = |certificate: &&At<tls::Certificate>| {
        &**provider == ACME_TLS_PROVIDER || !certificate.stores.iter().any(|store| store == ACME_TLS_STORE)
    };
    merged.tls.certificates.extend(tls.certificates.iter().filter(own).cloned());
    for (name, options) in &tls.options {
        let name = qualify_unless_default(name, provider, &options.at, &mut defaults.options);
        merged.tls.options.insert(name, options.clone());
    }
    for (name, store) in &tls.stores {
        let name = qualify_unless_default(name, provider, &store.at, &mut defaults.stores);
        merged.tls.stores.insert(name, store.clone());
    }
}

fn qualify_unless_default(name: &str, provider: &Arc<str>, at: &Origin, defaults: &mut Definitions) -> String {
    if name == DEFAULT {
        defaults.push((Arc::clone(provider), at.clone()));
        return name.to_owned();
    }
    own_name(name, provider).to_string()
}

/// Who defined something, and where.
type Definitions = Vec<(Arc<str>, Origin)>;

/// Who said what `default` is. Two who say it cancel each other out.
#[derive(Default)]
struct DefaultsOfTls {
    options: Definitions,
    stores: Definitions,
}

impl DefaultsOfTls {
    fn settle(self, merged: &mut Merged) {
        match self.options.as_slice() {
            [] => {
                merged.tls.options.insert(DEFAULT.to_owned(), tls::Options::default().into());
            }
            [_] => {}
            several => {
                merged.tls.options.remove(DEFAULT);
                merged.notes.push(defined_twice("Default TLS Options", "tls.options.default", several));
            }
        }
        if self.stores.len() > 1 {
            merged.tls.stores.remove(DEFAULT);
            merged.notes.push(defined_twice("Default TLS Store", "tls.stores.default", &self.stores));
        }
    }
}

fn defined_twice(what: &str, path: &str, by: &[(Arc<str>, Origin)]) -> Note {
    let providers: Vec<_> = by.iter().map(|(provider, _)| &**provider).collect();
    let places: Vec<_> = by.iter().filter(|(_, at)| *at != Origin::Unknown).map(|(_, at)| at.to_string()).collect();
    let message = format!("{what} defined in multiple providers: {}; none of them is used", providers.join(", "));
    let hint = (!places.is_empty()).then(|| format!("at {}", places.join(" and ")));
    Note::error(&by[by.len() - 1].1, path, message, hint)
}
