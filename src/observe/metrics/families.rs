//! [`Families`]: all metrics as plain data, for senders that have a form of their own. Names, units and meanings are Traefik's.

use std::sync::atomic::Ordering;

use super::series::{Key, Scope, Scopes, Series};
use super::{Metrics, Present};

/// Every metric at one moment.
#[derive(Debug, Default)]
pub struct Families {
    pub all: Vec<Family>,
    /// Upper bounds of the buckets of durations, in seconds.
    pub bounds: Vec<f64>,
}

/// One metric with all of its series.
#[derive(Debug)]
pub struct Family {
    pub name: &'static str,
    /// As those call it who have dots in names.
    pub short: &'static str,
    pub unit: &'static str,
    pub help: &'static str,
    pub kind: FamilyKind,
    pub points: Vec<Point>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyKind {
    Counter,
    Gauge,
    Histogram,
}

/// One series.
#[derive(Debug)]
pub struct Point {
    pub labels: Vec<(&'static str, String)>,
    pub value: PointValue,
}

#[derive(Debug)]
pub enum PointValue {
    Number(f64),
    /// How many fell in each bucket (not added up; the last one has no bound), and what they add up to.
    Spread {
        buckets: Vec<u64>,
        sum: f64,
    },
}

/// Who takes metrics each time they are pushed.
pub trait Sink: Send {
    /// Sends them, waiting for the answer. What fails is counted and said by whoever pushes.
    fn take(&mut self, families: &Families) -> Result<(), String>;
}

/// The names of one scope's metrics: name, short name, meaning.
struct Names {
    label: &'static str,
    requests: [&'static str; 3],
    tls: [&'static str; 3],
    duration: [&'static str; 3],
    bytes_in: [&'static str; 3],
    bytes_out: [&'static str; 3],
}

const ENTRY_POINT: Names = Names {
    label: "entrypoint",
    requests: [
        "traefik_entrypoint_requests_total",
        "entrypoint.requests.total",
        "Requests, by code, method and protocol.",
    ],
    tls: [
        "traefik_entrypoint_requests_tls_total",
        "entrypoint.requests.tls.total",
        "Requests over TLS, by version and cipher suite.",
    ],
    duration: [
        "traefik_entrypoint_request_duration_seconds",
        "entrypoint.request.duration",
        "How long requests took, by code, method and protocol.",
    ],
    bytes_in: [
        "traefik_entrypoint_requests_bytes_total",
        "entrypoint.requests.bytes.total",
        "Bytes of bodies of requests, by code, method and protocol.",
    ],
    bytes_out: [
        "traefik_entrypoint_responses_bytes_total",
        "entrypoint.responses.bytes.total",
        "Bytes of bodies of answers, by code, method and protocol.",
    ],
};

const ROUTER: Names = Names {
    label: "router",
    requests: ["traefik_router_requests_total", "router.requests.total", "Requests, by code, method and protocol."],
    tls: [
        "traefik_router_requests_tls_total",
        "router.requests.tls.total",
        "Requests over TLS, by version and cipher suite.",
    ],
    duration: [
        "traefik_router_request_duration_seconds",
        "router.request.duration",
        "How long requests took, by code, method and protocol.",
    ],
    bytes_in: [
        "traefik_router_requests_bytes_total",
        "router.requests.bytes.total",
        "Bytes of bodies of requests, by code, method and protocol.",
    ],
    bytes_out: [
        "traefik_router_responses_bytes_total",
        "router.responses.bytes.total",
        "Bytes of bodies of answers, by code, method and protocol.",
    ],
};

const SERVICE: Names = Names {
    label: "service",
    requests: ["traefik_service_requests_total", "service.requests.total", "Requests, by code, method and protocol."],
    tls: [
        "traefik_service_requests_tls_total",
        "service.requests.tls.total",
        "Requests over TLS, by version and cipher suite.",
    ],
    duration: [
        "traefik_service_request_duration_seconds",
        "service.request.duration",
        "How long requests took, by code, method and protocol.",
    ],
    bytes_in: [
        "traefik_service_requests_bytes_total",
        "service.requests.bytes.total",
        "Bytes of bodies of requests, by code, method and protocol.",
    ],
    bytes_out: [
        "traefik_service_responses_bytes_total",
        "service.responses.bytes.total",
        "Bytes of bodies of answers, by code, method and protocol.",
    ],
};

fn number(labels: Vec<(&'static str, String)>, value: f64) -> Point {
    Point { labels, value: PointValue::Number(value) }
}

/// All of it; what is gone from the configuration is forgotten.
pub(super) fn read(metrics: &Metrics, present: &Present) -> Families {
    let (now, _) = metrics.read(present);
    let mut all = vec![
        Family {
            name: "traefik_config_reloads_total",
            short: "config.reload.total",
            unit: "1",
            help: "Configurations that came into force.",
            kind: FamilyKind::Counter,
            points: vec![number(Vec::new(), metrics.reloads.load(Ordering::Relaxed) as f64)],
        },
        Family {
            name: "traefik_config_last_reload_success",
            short: "config.reload.lastSuccessTimestamp",
            unit: "ms",
            help: "When a configuration last came into force.",
            kind: FamilyKind::Gauge,
            points: vec![number(Vec::new(), metrics.last_reload.load(Ordering::Relaxed) as f64)],
        },
        Family {
            name: "traefik_open_connections",
            short: "open.connections",
            unit: "1",
            help: "Connections that are open.",
            kind: FamilyKind::Gauge,
            points: (metrics.connections.iter())
                .map(|(name, count)| {
                    let labels = vec![("entrypoint", name.to_string()), ("protocol", "TCP".to_owned())];
                    number(labels, count.load(Ordering::Relaxed).max(0) as f64)
                })
                .collect(),
        },
        Family {
            name: "traefik_tls_certs_not_after",
            short: "tls.certs.notAfterTimestamp",
            unit: "ms",
            help: "When a certificate ends.",
            kind: FamilyKind::Gauge,
            points: (present.certificates.iter())
                .map(|end| {
                    let labels =
                        vec![("cn", end.cn.clone()), ("sans", end.sans.clone()), ("serial", end.serial.clone())];
                    number(labels, end.not_after as f64)
                })
                .collect(),
        },
    ];
    if metrics.by_entry_point {
        all.extend(scopes(&ENTRY_POINT, &now.entry_points, false));
    }
    if metrics.by_router {
        all.extend(scopes(&ROUTER, &now.routers, true));
    }
    if metrics.by_service {
        all.extend(scopes(&SERVICE, &now.services, false));
        all.push(Family {
            name: "traefik_service_server_up",
            short: "service.server.up",
            unit: "1",
            help: "Whether a server is up.",
            kind: FamilyKind::Gauge,
            points: (present.servers.iter())
                .map(|server| {
                    let labels = vec![("service", server.service.clone()), ("url", server.url.clone())];
                    number(labels, f64::from(u8::from(server.is_up)))
                })
                .collect(),
        });
    }
    Families { all, bounds: metrics.buckets.to_vec() }
}

fn scopes(names: &Names, scopes: &Scopes, has_service: bool) -> Vec<Family> {
    let mut sorted: Vec<(&str, &Scope)> = scopes.0.iter().map(|(name, scope)| (&**name, scope)).collect();
    sorted.sort_by_key(|(name, _)| *name);
    let own = |name: &str, scope: &Scope| {
        let mut labels = vec![(names.label, name.to_owned())];
        if has_service {
            labels.push(("service", scope.beside.to_string()));
        }
        labels
    };
    let by_key = |value: &dyn Fn(&Series) -> PointValue| -> Vec<Point> {
        let of_scope = |(name, scope): &(&str, &Scope)| -> Vec<Point> {
            let of_key = |(key, series): (&Key, &Series)| {
                let mut labels = own(name, scope);
                labels.extend([
                    ("code", key.code.to_string()),
                    ("method", key.method.0.to_owned()),
                    ("protocol", key.protocol.name().to_owned()),
                ]);
                labels.sort_by_key(|(label, _)| *label);
                Point { labels, value: value(series) }
            };
            scope.series.iter().map(of_key).collect()
        };
        sorted.iter().flat_map(of_scope).collect()
    };
    let tls = sorted.iter().flat_map(|(name, scope)| {
        scope.tls.iter().map(|((version, cipher), count)| {
            let mut labels = own(name, scope);
            labels.extend([("tls_cipher", (*cipher).to_owned()), ("tls_version", (*version).to_owned())]);
            number(labels, *count as f64)
        })
    });
    let family =
        |[name, short, help]: [&'static str; 3], unit, kind, points| Family { name, short, unit, help, kind, points };
    let counted = |number: u64| PointValue::Number(number as f64);
    vec![
        family(names.requests, "1", FamilyKind::Counter, by_key(&|it| counted(it.requests.values().sum()))),
        family(names.tls, "1", FamilyKind::Counter, tls.collect()),
        family(
            names.duration,
            "s",
            FamilyKind::Histogram,
            by_key(&|it| PointValue::Spread { buckets: it.spread.buckets.clone(), sum: it.spread.seconds }),
        ),
        family(names.bytes_in, "1", FamilyKind::Counter, by_key(&|it| counted(it.spread.bytes_in))),
        family(names.bytes_out, "1", FamilyKind::Counter, by_key(&|it| counted(it.spread.bytes_out))),
    ]
}
