//! Traces, metrics and logs on their way to a collector: OTLP over HTTP and gRPC, and InfluxDB's line protocol.
//!
//! Knows no routes and no request; `observe` hands over what was measured. What must hold: whatever a collector does (slow,
//! dead, refusing), traffic does not notice; what could not be sent is counted and said in the log, not more than once per trouble.

mod batches;
mod influx;
mod logs;
mod metrics;
mod proto;
mod resource;
mod traces;
mod wire;

use std::sync::mpsc::Receiver;

use trafficcop_config::settings::Tracing;
use trafficcop_config::settings::observability::{InfluxDb2, OtlpGrpc, OtlpHttp, OtlpLog, OtlpMetrics, OtlpTraces};
use trafficcop_observe::metrics::Sink;
use trafficcop_observe::{Finished, LogRecord};

pub use batches::Exporter;
use resource::Resource;
use wire::{Signal, Wire};

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{0}")]
    Settings(String),
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Sends finished traces.
pub fn traces(settings: &Tracing, finished: Receiver<Finished>) -> Result<Exporter, ExportError> {
    let none = OtlpTraces::default();
    let to = settings.otlp.as_ref().unwrap_or(&none);
    let wire = wire(Signal::Traces, to.grpc.as_ref(), to.http.as_ref())?;
    let mut attributes = settings.global_attributes.clone();
    attributes.extend(settings.resource_attributes.clone());
    let resource = Resource::new(&settings.service_name, &attributes);
    Exporter::start("otlp-traces", finished, wire, move |batch| traces::encode(&resource, batch))
}

/// Sends lines of a log.
pub fn logs(settings: &OtlpLog, records: Receiver<LogRecord>) -> Result<Exporter, ExportError> {
    let wire = wire(Signal::Logs, settings.grpc.as_ref(), settings.http.as_ref())?;
    let resource = Resource::new(&settings.service_name, &settings.resource_attributes);
    Exporter::start("otlp-logs", records, wire, move |batch| logs::encode(&resource, batch))
}

/// Takes metrics each time they are pushed.
pub fn metrics(settings: &OtlpMetrics) -> Result<Box<dyn Sink>, ExportError> {
    let wire = wire(Signal::Metrics, settings.grpc.as_ref(), settings.http.as_ref())?;
    let resource = Resource::new(&settings.service_name, &settings.resource_attributes);
    Ok(Box::new(metrics::Otlp::new(resource, wire)?))
}

/// Takes metrics each time they are pushed.
pub fn influxdb2(settings: &InfluxDb2) -> Result<Box<dyn Sink>, ExportError> {
    Ok(Box::new(influx::Influx::new(settings)?))
}

fn wire(signal: Signal, grpc: Option<&OtlpGrpc>, http: Option<&OtlpHttp>) -> Result<Wire, ExportError> {
    let made = match grpc {
        Some(grpc) => Wire::grpc(signal, grpc),
        None => Wire::http(signal, &http.cloned().unwrap_or_default()),
    };
    made.map_err(ExportError::Settings)
}
