//! `/api/problems`: everything that is wrong, with its place and what was probably meant. Ours; Traefik has none.

use std::collections::BTreeMap;

use serde::Serialize;
use trafficcop_config::{Name, Origin};
use trafficcop_merger::{Note, Severity};
use trafficcop_snapshot::{ObjectReport, Snapshot};

/// One thing that is wrong.
#[derive(Serialize)]
pub(crate) struct Shown {
    severity: &'static str,
    /// `http.routers` and the like; empty when it belongs to no object.
    #[serde(skip_serializing_if = "str::is_empty")]
    section: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// Where it was written.
    #[serde(skip_serializing_if = "String::is_empty")]
    place: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    /// The whole sentence, place and suggestion included.
    message: String,
}

pub(crate) fn problems(snapshot: &Snapshot) -> Vec<Shown> {
    let report = &snapshot.report;
    let sections: [(&'static str, &BTreeMap<Name, ObjectReport>); 8] = [
        ("http.routers", &report.http.routers),
        ("http.services", &report.http.services),
        ("http.middlewares", &report.http.middlewares),
        ("tcp.routers", &report.tcp.routers),
        ("tcp.services", &report.tcp.services),
        ("tcp.middlewares", &report.tcp.middlewares),
        ("udp.routers", &report.udp.routers),
        ("udp.services", &report.udp.services),
    ];
    let of_objects = sections.into_iter().flat_map(|(section, objects)| {
        objects.iter().flat_map(move |(name, report)| report.notes.iter().map(move |note| shown(section, name, note)))
    });
    let of_none = report.notes.iter().map(|note| shown_at("", String::new(), note));
    of_none.chain(of_objects).collect()
}

fn shown(section: &'static str, name: &Name, note: &Note) -> Shown {
    shown_at(section, name.to_string(), note)
}

fn shown_at(section: &'static str, name: String, note: &Note) -> Shown {
    let severity = match note.severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let place = if note.error.at == Origin::Unknown { String::new() } else { note.error.at.to_string() };
    Shown { severity, section, name, place, path: note.error.path.clone(), message: note.error.to_string() }
}
