//! Metrics as OTLP requests.

use std::time::SystemTime;

use trafficcop_observe::metrics::{Families, Family, FamilyKind, Point, PointValue, Sink};

use crate::ExportError;
use crate::proto::Message;
use crate::resource::Resource;
use crate::traces::nanos;
use crate::wire::Wire;

/// Sums since the start.
const CUMULATIVE: u64 = 2;

pub(crate) struct Otlp {
    resource: Resource,
    wire: Wire,
    runtime: tokio::runtime::Runtime,
    started: SystemTime,
}

impl Otlp {
    pub(crate) fn new(resource: Resource, wire: Wire) -> Result<Self, ExportError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { resource, wire, runtime, started: SystemTime::now() })
    }
}

impl Sink for Otlp {
    fn take(&mut self, families: &Families) -> Result<(), String> {
        let request = encode(&self.resource, families, nanos(self.started), nanos(SystemTime::now()));
        self.runtime.block_on(self.wire.send(request))
    }
}

fn encode(resource: &Resource, families: &Families, started: u64, now: u64) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |metrics| {
        resource.write(metrics, 1);
        metrics.message(2, |scope| {
            scope.message(1, |name| {
                name.text(1, "github.com/traefik/traefik");
                name.text(2, env!("CARGO_PKG_VERSION"));
            });
            for family in families.all.iter().filter(|family| !family.points.is_empty()) {
                scope.message(2, |out| metric(out, family, &families.bounds, started, now));
            }
        });
    });
    request.finish()
}

fn metric(out: &mut Message, family: &Family, bounds: &[f64], started: u64, now: u64) {
    out.text(1, family.name);
    out.text(2, family.help);
    out.text(3, family.unit);
    let field = match family.kind {
        FamilyKind::Gauge => 5,
        FamilyKind::Counter => 7,
        FamilyKind::Histogram => 9,
    };
    out.message(field, |data| {
        for one in &family.points {
            data.message(1, |out| point(out, one, bounds, started, now));
        }
        if family.kind != FamilyKind::Gauge {
            data.number(2, CUMULATIVE);
        }
        if family.kind == FamilyKind::Counter {
            data.number(3, 1);
        }
    });
}

fn point(out: &mut Message, point: &Point, bounds: &[f64], started: u64, now: u64) {
    out.fixed64(2, started);
    out.fixed64(3, now);
    let attributes = match &point.value {
        PointValue::Number(number) => {
            out.double(4, *number);
            7
        }
        PointValue::Spread { buckets, sum } => {
            out.fixed64(4, buckets.iter().sum());
            out.double(5, *sum);
            out.packed64(6, buckets.iter().copied());
            out.packed64(7, bounds.iter().map(|bound| bound.to_bits()));
            9
        }
    };
    for (name, value) in &point.labels {
        out.text_attribute(attributes, name, value);
    }
}
