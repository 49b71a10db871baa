//! How long finding a route takes, by the number of routers. It should not grow.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use trafficcop_router::rule::parse_http;
use trafficcop_router::{Head, Route, RouteTable, Syntax, default_priority};

const SIZES: [usize; 4] = [1, 100, 5_000, 50_000];

fn table(size: usize, rule: impl Fn(usize) -> String) -> RouteTable<usize> {
    let route = |index| {
        let text = rule(index);
        let priority = default_priority(&text);
        let rule = parse_http(&text, Syntax::V3).expect("the rule is valid");
        Route { rule, priority, precedence: 0, name: format!("router-{index}@file").into(), route: index }
    };
    RouteTable::build((0..size).map(route).collect())
}

fn measure(
    c: &mut Criterion,
    name: &str,
    sizes: &[usize],
    rule: fn(usize) -> String,
    asked: fn(usize) -> (String, String),
) {
    let mut group = c.benchmark_group(name);
    for &size in sizes {
        let table = table(size, rule);
        let headers = [("Accept", "*/*"), ("User-Agent", "bench")];
        // Different routes in turn, so that the caches of the processor are not all there is to it.
        let asked: Vec<_> = (0..1024).map(|n| asked(n * 7919 % size)).collect();
        let mut turn = 0;
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                turn = (turn + 1) % asked.len();
                let (host, routing_path) = &asked[turn];
                let head = Head {
                    method: "GET",
                    host,
                    cname: None,
                    routing_path,
                    query: None,
                    headers: &headers,
                    client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
                };
                black_box(table.find(&head)).expect("there is a route")
            });
        });
    }
    group.finish();
}

fn find(c: &mut Criterion) {
    measure(
        c,
        "host",
        &SIZES,
        |n| format!("Host(`app-{n}.example.com`)"),
        |n| (format!("app-{n}.example.com"), "/".into()),
    );
    measure(
        c,
        "host and prefix",
        &SIZES,
        |n| format!("Host(`app-{}.example.com`) && PathPrefix(`/api/v{}`)", n / 4, n % 4),
        |n| (format!("app-{}.example.com", n / 4), format!("/api/v{}/users/17", n % 4)),
    );
    measure(
        c,
        "prefix",
        &SIZES,
        |n| format!("PathPrefix(`/service-{n}`)"),
        |n| (String::from("h"), format!("/service-{n}/x")),
    );
    measure(
        c,
        "one host, many paths",
        &SIZES,
        |n| format!("Host(`example.com`) && (Path(`/p/{n}`) || PathPrefix(`/p/{n}/`))"),
        |n| ("example.com".into(), format!("/p/{n}/x")),
    );
    measure(
        c,
        "host regexp",
        &SIZES[..3],
        |n| format!("HostRegexp(`^[a-z]+\\.app-{n}\\.example\\.com$`)"),
        |n| (format!("x.app-{n}.example.com"), "/".into()),
    );
    measure(
        c,
        "path regexp",
        &SIZES[..3],
        |n| format!("PathRegexp(`^/[a-z]+/app-{n}/[0-9]+$`)"),
        |n| ("h".into(), format!("/x/app-{n}/17")),
    );
}

criterion_group!(benches, find);
criterion_main!(benches);
