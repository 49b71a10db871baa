//! [`LogRecord`]: a line of a log, for those who send it elsewhere.

use std::time::SystemTime;

use serde_json::{Map, Value};
use trafficcop_exchange::trace::{SpanId, TraceId};

/// See the module.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// When it happened.
    pub time: SystemTime,
    /// When it was written down.
    pub observed: SystemTime,
    /// OpenTelemetry's number: 9 is information, 13 a warning, 17 an error.
    pub severity: u8,
    pub severity_text: &'static str,
    pub body: String,
    pub attributes: Map<String, Value>,
    /// The request it belongs to.
    pub trace: Option<(TraceId, SpanId)>,
}
