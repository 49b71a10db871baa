//! Logs, access log, metrics, traces: written to, never asked.
//!
//! Knows no routes and no sockets. What must hold: nothing here ever makes traffic wait.

pub mod log;
mod observer;

pub use observer::{Nobody, Observer, Outcome, Record};
