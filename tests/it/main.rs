//! The whole router over real sockets: one binary, a module per subject.
//!
//! Knows the router only from outside: its files, its entry points and its API. What must hold: every wait is for a
//! condition and has a deadline, so that a slow machine makes a test slow and never wrong.

mod api;
mod cache;
mod dev;
mod entry_points;
mod golden;
mod many;
mod rate_limit;
mod reasons;
mod reload;
mod routing;
mod support;
