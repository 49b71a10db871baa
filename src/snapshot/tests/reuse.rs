//! What did not change is kept; and keeping never changes the answer.

mod support;

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use support::{Bench, STATIC, ask, describe, request, route};

#[test]
fn a_change_rebuilds_only_what_it_touches() {
    let mut bench = Bench::new(STATIC);
    let yaml = |limit: &str, rule: &str| {
        format!(
            "http:
  middlewares: {{limit: {{inFlightReq: {{amount: {limit}}}}}, other: {{addPrefix: {{prefix: /p}}}}}}
  services: {{w: {{weighted: {{services: [{{name: echo@internal}}]}}}}, v: {{weighted: {{services: [{{name: w}}]}}}}}}
  routers:
    a: {{rule: 'Host(`{rule}`)', service: v, middlewares: [limit], entryPoints: [web]}}
    b: {{rule: 'Host(`b`)', service: v, middlewares: [other], entryPoints: [web]}}
    c: {{rule: 'Host(`c`)', service: echo@internal, entryPoints: [tls]}}
"
        )
    };
    let first = bench.apply(&yaml("5", "a"));
    let same = bench.apply(&yaml("5", "a"));
    for (one, other) in first.entries.iter().zip(&same.entries) {
        assert!(Arc::ptr_eq(one, other), "entry point {} was built anew", one.name);
    }
    let limited = bench.apply(&yaml("6", "a"));
    let kept = |entry, name| Arc::ptr_eq(&route(&same, entry, name).unwrap(), &route(&limited, entry, name).unwrap());
    assert!(!kept("web", "a@file"), "its middleware changed");
    assert!(kept("web", "b@file"));
    assert!(kept("tls", "c@file"));
    assert!(Arc::ptr_eq(same.entry("tls").unwrap(), limited.entry("tls").unwrap()));
}

#[test]
fn state_survives_a_change_of_the_rule() {
    let mut bench = Bench::new(STATIC);
    let yaml = |host: &str| {
        format!(
            "http:
  middlewares: {{once: {{rateLimit: {{average: 1, period: 1h, burst: 1}}}}}}
  routers: {{a: {{rule: 'Host(`{host}`)', service: echo@internal, middlewares: [once], entryPoints: [web]}}}}
"
        )
    };
    let first = bench.apply(&yaml("a"));
    assert_eq!(ask(&route(&first, "web", "a@file").unwrap(), request("/"), None), "200 / by a@file");
    let second = bench.apply(&yaml("b"));
    let route = route(&second, "web", "a@file").unwrap();
    assert!(ask(&route, request("/"), None).starts_with("429"), "the bucket was not kept");
}

#[test]
fn a_loop_that_appears_is_found_and_one_that_goes_is_forgotten() {
    let mut bench = Bench::new(STATIC);
    let yaml = |end: &str| {
        format!(
            "http:
  services: {{x: {{weighted: {{services: [{{name: y}}]}}}}, y: {{weighted: {{services: [{{name: '{end}'}}]}}}}}}
  routers: {{a: {{rule: 'Path(`/`)', service: x, entryPoints: [web]}}}}
"
        )
    };
    assert!(route(&bench.apply(&yaml("echo@internal")), "web", "a@file").is_some());
    let looping = bench.apply(&yaml("x"));
    assert!(route(&looping, "web", "a@file").is_none());
    assert_eq!(describe(&looping), describe(&Bench::new(STATIC).apply(&yaml("x"))));
    assert!(route(&bench.apply(&yaml("echo@internal")), "web", "a@file").is_some());
}

/// Rule, service, middlewares, parent, TLS: each a number that [`World::yaml`] makes something of.
type Router = (u8, u8, Vec<u8>, u8, u8);

/// A small world in which everything may lead to anything, and to what does not exist.
#[derive(Clone, Debug)]
struct World {
    routers: Vec<Option<Router>>,
    services: Vec<Option<(Vec<u8>, Vec<u8>)>>,
    middlewares: Vec<Option<(u8, Vec<u8>)>>,
}

impl World {
    fn yaml(&self) -> String {
        let mut out = String::from("tls: {options: {strict: {minVersion: VersionTLS13}}}\nhttp:\n  routers:\n");
        let list = |kind: &str, of: &[u8]| of.iter().map(|it| format!("{kind}{it}")).collect::<Vec<_>>().join(", ");
        for (index, router) in self.routers.iter().enumerate() {
            let Some((rule, service, middlewares, parent, tls)) = router else { continue };
            let rule =
                ["Host(`a`)", "Host(`b`) && PathPrefix(`/a`)", "PathPrefix(`/a`)", "Nope(`a`)"][*rule as usize % 4];
            let _ = write!(out, "    r{index}: {{rule: '{rule}', middlewares: [{}]", list("m", middlewares));
            match service {
                0 => {}
                1 => out.push_str(", service: echo@internal"),
                service => drop(write!(out, ", service: s{service}")),
            }
            match (parent, tls) {
                (0..4, _) => drop(write!(out, ", parentRefs: [r{parent}]")),
                (_, 0) => out.push_str(", tls: {options: strict}"),
                (_, 1) => out.push_str(", tls: {}"),
                (_, 2) => out.push_str(", entryPoints: [web, nowhere]"),
                _ => {}
            }
            out.push_str("}\n");
        }
        out.push_str("  services:\n");
        for (index, service) in self.services.iter().enumerate() {
            let Some((children, middlewares)) = service else { continue };
            let children: Vec<_> = (children.iter())
                .map(|child| if *child == 1 { "echo@internal".to_owned() } else { format!("s{child}") })
                .enumerate()
                // Only the first has a share: turns taken before must not show in the answers.
                .map(|(place, name)| format!("{{name: {name}, weight: {}}}", u8::from(place == 0)))
                .collect();
            let _ = writeln!(
                out,
                "    s{index}: {{weighted: {{services: [{}]}}, middlewares: [{}]}}",
                children.join(", "),
                list("m", middlewares)
            );
        }
        out.push_str("  middlewares:\n");
        for (index, middleware) in self.middlewares.iter().enumerate() {
            let Some((kind, members)) = middleware else { continue };
            let settings = match kind % 4 {
                0 => format!("addPrefix: {{prefix: /m{index}}}"),
                1 => format!("chain: {{middlewares: [{}]}}", list("m", members)),
                2 => format!("errors: {{status: ['404'], service: s{}}}", members.first().unwrap_or(&9)),
                _ => "redirectRegex: {regex: '(', replacement: x}".to_owned(),
            };
            let _ = writeln!(out, "    m{index}: {{{settings}}}");
        }
        out
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let few = || prop::collection::vec(0..5_u8, 0..3);
    let router = prop::option::weighted(0.8, (0..8_u8, 0..6_u8, few(), 0..12_u8, 0..8_u8));
    let service = prop::option::weighted(0.8, (prop::collection::vec(1..6_u8, 1..3), few()));
    let middleware = prop::option::weighted(0.8, (0..6_u8, few()));
    let five = |strategy| prop::collection::vec(strategy, 5);
    (five(router), prop::collection::vec(service, 5), prop::collection::vec(middleware, 5))
        .prop_map(|(routers, services, middlewares)| World { routers, services, middlewares })
}

/// One object of a world becomes that of another.
#[derive(Clone, Debug)]
struct Edit {
    section: u8,
    index: usize,
    from: World,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (0..3_u8, 0..5_usize, worlds()).prop_map(|(section, index, from)| Edit { section, index, from });
    prop::collection::vec(edit, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn building_step_by_step_is_building_afresh(mut world in worlds(), edits in edits()) {
        let mut kept = Bench::new(STATIC);
        kept.apply(&world.yaml());
        for Edit { section, index, from } in edits {
            match section {
                0 => world.routers[index].clone_from(&from.routers[index]),
                1 => world.services[index].clone_from(&from.services[index]),
                _ => world.middlewares[index].clone_from(&from.middlewares[index]),
            }
            let yaml = world.yaml();
            let step_by_step = describe(&kept.apply(&yaml));
            let afresh = describe(&Bench::new(STATIC).apply(&yaml));
            prop_assert_eq!(step_by_step, afresh, "{}", yaml);
        }
    }
}
