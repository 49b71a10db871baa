use super::{Kind, Shape};
use crate::dynamic::Configuration;

#[track_caller]
fn check(path: &str, expected: Option<(&str, Kind)>) {
    let shape = Shape::of::<Configuration>();
    let steps: Vec<&str> = path.split_whitespace().collect();
    let found = shape.find(&steps).map(|option| (option, shape.kind_of(&steps).unwrap()));
    assert_eq!(found, expected, "{path}");
}

#[test]
fn finds_options_by_real_names_in_any_case() {
    check("http routers web rule", Some(("http.routers.<name>.rule", Kind::Text)));
    check("HTTP Routers rule entrypoints", Some(("http.routers.<name>.entryPoints", Kind::List)));
    check("http routers x tls", Some(("http.routers.<name>.tls", Kind::Section)));
    check("http routers x tls domains [0] main", Some(("http.routers.<name>.tls.domains[].main", Kind::Text)));
    check(
        "http services s loadbalancer healthcheck interval",
        Some(("http.services.<name>.loadBalancer.healthCheck.interval", Kind::Text)),
    );
    check(
        "http services s loadbalancer passhostheader",
        Some(("http.services.<name>.loadBalancer.passHostHeader", Kind::Bool)),
    );
    check("http middlewares m compress", Some(("http.middlewares.<name>.<name>", Kind::Any)));
    check("tcp routers r tls passthrough", Some(("tcp.routers.<name>.tls.passthrough", Kind::Bool)));
    check("http routers x nothing", None);
    check("http routers x rule more", None);
}

#[test]
fn knows_the_names_at_the_top() {
    assert_eq!(Shape::of::<Configuration>().sections(), ["http", "tcp", "tls", "udp"]);
}

#[test]
fn goes_around_what_refuses_a_stand_in() {
    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only its shape is of interest")]
    struct Model {
        before: bool,
        address: crate::EntryAddress,
        after: u16,
    }
    let shape = Shape::of::<Model>();
    let options: Vec<(&str, Kind)> = shape.options().collect();
    assert_eq!(options, [("address", Kind::Text), ("after", Kind::Number), ("before", Kind::Bool)]);
}
