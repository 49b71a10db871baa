//! `/api/rawdata`: everything at once.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use trafficcop_config::Name;
use trafficcop_snapshot::{ObjectReport, Snapshot};

use crate::{http, tcp, udp};

type Shown<'a> = BTreeMap<&'a str, Value>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Raw<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    routers: Shown<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    middlewares: Shown<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    services: Shown<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tcp_routers: Shown<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tcp_middlewares: Shown<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tcp_services: Shown<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    udp_routers: Shown<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    udp_services: Shown<'a>,
}

pub(crate) fn raw(snapshot: &Snapshot) -> Raw<'_> {
    let (merged, report) = (&snapshot.merged, &snapshot.report);
    Raw {
        routers: all(&merged.http.routers, &report.http.routers, http::router),
        middlewares: all(&merged.http.middlewares, &report.http.middlewares, http::middleware),
        services: all(&merged.http.services, &report.http.services, http::service),
        tcp_routers: all(&merged.tcp.routers, &report.tcp.routers, tcp::router),
        tcp_middlewares: all(&merged.tcp.middlewares, &report.tcp.middlewares, |_, it, report| {
            tcp::middleware(it, report)
        }),
        tcp_services: all(&merged.tcp.services, &report.tcp.services, tcp::service),
        udp_routers: all(&merged.udp.routers, &report.udp.routers, |_, it, report| udp::router(it, report)),
        udp_services: all(&merged.udp.services, &report.udp.services, |_, it, report| udp::service(it, report)),
    }
}

fn all<'a, T>(
    objects: &'a BTreeMap<Name, T>,
    reports: &BTreeMap<Name, ObjectReport>,
    show: impl Fn(&Name, &T, Option<&ObjectReport>) -> serde_json::Map<String, Value>,
) -> Shown<'a> {
    let shown = |(name, object)| (Name::as_str(name), Value::Object(show(name, object, reports.get(name))));
    objects.iter().map(shown).collect()
}
