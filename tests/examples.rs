//! Every example loads without a complaint, and says the same as a file and as labels.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trafficcop_config::dynamic::{Configuration, document};
use trafficcop_config::read::labels::{DYNAMIC, read as read_labels};
use trafficcop_config::read::{Format, document as read_document};
use trafficcop_config::settings::Source;
use trafficcop_config::settings::load::load;
use trafficcop_middleware::KINDS;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[track_caller]
fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file form, decoded.
#[track_caller]
fn file(path: &Path) -> Configuration {
    let name = path.display().to_string();
    let node = read_document(&text(path), Format::Yaml, &name).unwrap_or_else(|errors| panic!("{errors}"));
    document::decode(node).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The label form, decoded.
#[track_caller]
fn labels(path: &Path) -> Configuration {
    let text = text(path);
    let pair = |line| str::split_once(line, '=').unwrap_or_else(|| panic!("{}: {line} has no value", path.display()));
    let pairs: Vec<_> = text.lines().map(pair).collect();
    let node = read_labels(pairs, &path.display().to_string(), &DYNAMIC).unwrap_or_else(|errors| panic!("{errors}"));
    node.decode().unwrap_or_else(|errors| panic!("{errors}"))
}

/// By name: kind and settings with their defaults filled in. Settings that their kind refuses fail the test.
#[track_caller]
fn middlewares(configuration: &Configuration) -> BTreeMap<String, (String, Value)> {
    let mut shown = BTreeMap::new();
    for (name, middleware) in &configuration.http.as_ref().expect("an example has an http section").middlewares {
        let [(kind, settings)] = middleware.kinds.as_slice() else { panic!("{name} has not one kind") };
        let known = trafficcop_middleware::find(kind).unwrap_or_else(|| panic!("{kind} is no kind"));
        (known.check)(settings).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        let settings = (known.show)(settings).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        shown.insert(name.clone(), (known.name.to_owned(), settings));
    }
    shown
}

/// What routers name exists.
#[track_caller]
fn references_hold(configuration: &Configuration, whose: &str) {
    let http = configuration.http.as_ref().expect("an example has an http section");
    assert!(!http.routers.is_empty(), "{whose}: no router");
    for (name, router) in &http.routers {
        trafficcop_router::rule::parse_http(&router.rule.value, trafficcop_router::rule::Syntax::V3)
            .unwrap_or_else(|error| panic!("{whose}: the rule of {name}: {error}"));
        for middleware in &router.middlewares {
            assert!(http.middlewares.contains_key(middleware), "{whose}: {name} names {middleware}");
        }
        let service = &router.service;
        let is_known = service.is_empty() || service.ends_with("@internal") || http.services.contains_key(service);
        assert!(is_known, "{whose}: {name} names the service {service}");
    }
}

#[test]
fn each_kind_is_shown_as_a_file_and_as_labels() {
    for kind in KINDS {
        let path = |ending: &str| examples().join("middlewares").join(format!("{}.{ending}", kind.name));
        let (file, labels) = (file(&path("yml")), labels(&path("labels")));
        let (of_file, of_labels) = (middlewares(&file), middlewares(&labels));
        assert!(of_file.values().any(|(shown, _)| shown == kind.name), "{}.yml shows another kind", kind.name);
        assert_eq!(of_file, of_labels, "the two forms of {}", kind.name);
        references_hold(&file, kind.name);
        references_hold(&labels, kind.name);
    }
}

#[test]
fn the_two_forms_route_alike() {
    for kind in KINDS {
        let path = |ending: &str| examples().join("middlewares").join(format!("{}.{ending}", kind.name));
        let routers = |configuration: Configuration| -> BTreeMap<String, (String, Vec<String>, Vec<String>)> {
            let http = configuration.http.expect("an example has an http section");
            let router = |router: &trafficcop_config::dynamic::http::Router| {
                (router.rule.value.clone(), router.entry_points.clone(), router.middlewares.clone())
            };
            http.routers.into_iter().map(|(name, at)| (name, router(&at))).collect()
        };
        assert_eq!(routers(file(&path("yml"))), routers(labels(&path("labels"))), "the routers of {}", kind.name);
    }
}

#[test]
fn no_example_is_of_a_kind_that_does_not_exist() {
    let mut files = 0;
    for entry in fs::read_dir(examples().join("middlewares")).expect("the folder exists").flatten() {
        let path = entry.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        assert!(KINDS.iter().any(|kind| kind.name == stem), "{} is of no kind", path.display());
        files += 1;
    }
    assert_eq!(files, 2 * KINDS.len());
}

#[test]
fn the_settings_load() {
    let path = examples().join("traefik.yml");
    let node = read_document(&text(&path), Format::Yaml, "traefik.yml").unwrap_or_else(|errors| panic!("{errors}"));
    let source = Source::File("traefik.yml".into());
    let loaded = load(source, &node).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(loaded.settings.providers.docker.is_some());
}

#[test]
fn the_settings_of_acme_load_and_nothing_in_them_is_without_effect() {
    let node = read_document(&text(&examples().join("acme.yml")), Format::Yaml, "acme.yml")
        .unwrap_or_else(|errors| panic!("{errors}"));
    let loaded = load(Source::File("acme.yml".into()), &node).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(loaded.settings.certificates_resolvers.len(), 3);
    assert!(loaded.warnings.is_empty() && loaded.without_effect.is_empty(), "{:?}", loaded.without_effect);
}

#[test]
fn the_dynamic_configuration_loads() {
    let configuration = file(&examples().join("dynamic.yml"));
    assert_eq!(middlewares(&configuration).len(), 4);
    references_hold(&configuration, "dynamic.yml");
}

#[test]
fn the_recipes_load() {
    let mut files = 0;
    for entry in fs::read_dir(examples().join("recipes")).expect("the folder exists").flatten() {
        let configuration = file(&entry.path());
        middlewares(&configuration);
        references_hold(&configuration, &entry.path().display().to_string());
        files += 1;
    }
    assert!(files > 4, "{files}");
}

#[test]
fn the_services_load() {
    let configuration = file(&examples().join("services.yml"));
    references_hold(&configuration, "services.yml");
    let services = &configuration.http.as_ref().expect("an http section").services;
    assert!(services.values().any(|service| service.value.static_files.is_some()));
    let labels = labels(&examples().join("services.labels"));
    references_hold(&labels, "services.labels");
    let of_labels = &labels.http.as_ref().expect("an http section").services["site"].value.static_files;
    assert_eq!(of_labels, &services["site"].value.static_files, "the two forms of static");
}

#[test]
fn tcp_and_udp_load_and_every_router_has_a_rule_that_holds() {
    let configuration = file(&examples().join("tcp-udp.yml"));
    let tcp = configuration.tcp.as_ref().expect("a tcp section");
    assert_eq!(tcp.routers.len(), 4);
    for (name, router) in &tcp.routers {
        trafficcop_router::rule::parse_tcp(&router.value.rule.value, trafficcop_router::Syntax::V3)
            .unwrap_or_else(|error| panic!("the rule of {name}: {error}"));
        assert!(tcp.services.contains_key(&router.value.service), "{name} names the service {}", router.value.service);
        for middleware in &router.value.middlewares {
            let known = &tcp.middlewares[middleware].value.kinds[0];
            let kind =
                trafficcop_middleware::tcp::find(&known.0).unwrap_or_else(|| panic!("{middleware} is of no kind"));
            assert!((kind.build)(&known.1).is_ok(), "{middleware}");
        }
    }
    let udp = configuration.udp.as_ref().expect("a udp section");
    for router in udp.routers.values() {
        assert!(udp.services.contains_key(&router.value.service));
        for middleware in &router.value.middlewares {
            let known = &udp.middlewares[middleware].value.kinds[0];
            assert!(trafficcop_middleware::udp::find(&known.0).is_some_and(|kind| (kind.build)(&known.1).is_ok()));
        }
    }
}
