//! Logs, access log, metrics, traces: written to, never asked.
//!
//! Knows no routes and no sockets. What must hold: nothing here ever makes traffic wait.

pub mod access;
pub mod log;
pub mod metrics;
mod observer;
mod pulse;
mod record;
mod recorder;
mod rotate;
mod spans;
mod tail;

pub use observer::{Nobody, Observer, Outcome, Record};
pub use pulse::{BOUNDS, Beat, Pulse};
pub use record::LogRecord;
pub use recorder::Recorder;
pub use spans::{Finished, Tracer};
pub use tail::{Line, Tail};
