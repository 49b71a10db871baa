//! What stands before a router's own middlewares.

mod support;

use support::{Bench, STATIC, ask, configurations, request, route};

#[test]
fn connections_of_other_tls_options_are_misdirected() {
    let mut bench = Bench::new(STATIC);
    let snapshot = bench.apply(
        "{tls: {options: {strict: {sniStrict: true}}}, http: {routers: {a: {rule: 'Host(`a.test`)', service: echo@internal, \
         entryPoints: [tls], tls: {options: strict}}}}}",
    );
    let entry = snapshot.entry("tls").unwrap();
    assert_eq!(entry.tls_options.find("a.test"), "strict@file");
    assert_eq!(entry.tls_options.find("b.test"), "default");
    let route = route(&snapshot, "tls", "a@file").unwrap();
    assert_eq!(ask(&route, request("/"), Some("strict@file")), "200 / by a@file");
    assert_eq!(ask(&route, request("/"), Some("default")), "421 Misdirected Request");
}

#[test]
fn encoded_characters_are_denied_before_middlewares() {
    let mut bench = Bench::new(
        "entryPoints: {a: {address: ':1', http: {encodedCharacters: {allowEncodedSlash: false}}}, b: {address: ':2'}}",
    );
    let snapshot = bench.apply("{http: {routers: {r: {rule: 'PathPrefix(`/`)', service: echo@internal}}}}");
    let strict = route(&snapshot, "a", "a-r@file").unwrap();
    assert_eq!(ask(&strict, request("/x%2Fy"), None), "400 ");
    assert_eq!(ask(&strict, request("/x%5Cy"), None), "200 /x%5Cy by a-r@file");
    assert_eq!(ask(&route(&snapshot, "b", "r@file").unwrap(), request("/x%2Fy"), None), "200 /x%2Fy by r@file");
}

#[test]
fn a_router_of_a_default_rule_does_not_call_itself() {
    let mut said = configurations(&[(
        "docker",
        "{http: {routers: {r: {rule: 'Host(`r`)', service: echo@internal, entryPoints: [web]}}}}",
    )]);
    for configuration in said.values_mut() {
        let mut changed = (**configuration).clone();
        let routers = &mut changed.http.as_mut().unwrap().routers;
        for router in routers.values_mut() {
            router.value.default_rule = true;
        }
        *configuration = std::sync::Arc::new(changed);
    }
    let route = route(&Bench::new(STATIC).apply_all(said), "web", "r@docker").unwrap();
    assert_eq!(ask(&route, request("/"), None), "200 / by r@docker");
    let marked = |mark: &str| {
        let mut request = request("/");
        request.headers.append("X-Traefik-Router", mark.to_owned());
        ask(&route, request, None)
    };
    assert_eq!(marked("0"), "200 / by r@docker");
    // FNV-1 of `r@docker`, as Traefik computes it.
    assert_eq!(marked(&format!("{:x}", fnv_1("r@docker"))), "400 ");
}

fn fnv_1(text: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte);
    }
    hash
}
