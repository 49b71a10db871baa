//! Traces and logs on their way to collectors.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use trafficcop_config::settings::Settings;
use trafficcop_config::settings::observability::OtlpLog;
use trafficcop_export::{ExportError, Exporter};
use trafficcop_observe::{LogRecord, Tracer, log};

/// Lines of a log that may wait to be sent.
const WAITING: usize = 8192;

/// What is sent, and who sends it.
#[derive(Clone, Default)]
pub(crate) struct Exports {
    pub(crate) tracer: Option<Arc<Tracer>>,
    exporters: Arc<Vec<Exporter>>,
}

impl Exports {
    /// What cannot be begun is an error in the log: traffic goes first. Also gives where lines of the access log go.
    pub(crate) fn new(settings: &Settings) -> (Self, Option<std::sync::mpsc::SyncSender<LogRecord>>) {
        let mut exporters = Vec::new();
        let mut keep = |what: &str, made: Result<Exporter, ExportError>| match made {
            Ok(exporter) => {
                exporters.push(exporter);
                true
            }
            Err(error) => {
                tracing::error!(%error, "Cannot send {what} by OTLP.");
                false
            }
        };
        let tracer = settings.tracing.as_ref().and_then(|tracing| {
            let propagators = std::env::var("OTEL_PROPAGATORS").unwrap_or_default();
            let (tracer, finished) = Tracer::new(tracing, &propagators);
            keep("traces", trafficcop_export::traces(tracing, finished)).then(|| Arc::new(tracer))
        });
        let mut lines = |what: &str, otlp: Option<&OtlpLog>| {
            let (out, records) = sync_channel(WAITING);
            keep(what, trafficcop_export::logs(otlp?, records)).then_some(out)
        };
        if let Some(out) = lines("the log", settings.log.as_ref().and_then(|log| log.otlp.as_ref())) {
            log::send_to(out);
        }
        let access = lines("the access log", settings.access_log.as_ref().and_then(|log| log.otlp.as_ref()));
        (Self { tracer, exporters: Arc::new(exporters) }, access)
    }

    /// Has everything sent that waits. Not to be called where waiting is forbidden.
    pub(crate) fn flush(&self, patience: Duration) {
        self.exporters.iter().for_each(|exporter| exporter.flush(patience));
    }

    /// Traces and lines that nobody got, since the start; None when nothing is sent.
    pub(crate) fn lost(&self) -> Option<u64> {
        let of_tracer = self.tracer.as_ref().map_or(0, |tracer| tracer.lost());
        let lost: u64 = self.exporters.iter().map(Exporter::lost).sum();
        (!self.exporters.is_empty()).then_some(lost + of_tracer)
    }
}
