//! Logs, access log, metrics, traces: written to, never asked.
//!
//! Knows no routes and no sockets. What must hold: nothing here ever makes traffic wait.

pub mod access;
pub mod log;
pub mod metrics;
mod observer;
mod recorder;

pub use observer::{Nobody, Observer, Outcome, Record};
pub use recorder::Recorder;
