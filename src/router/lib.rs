//! # Router: which route?
//!
//! Turns rules such as ``Host(`a.example`) && PathPrefix(`/api`)`` into matchers, and a set of ranked rules into a table
//! that answers, for one request or one TCP connection, which route is the first whose rule holds.
//!
//! This crate does no I/O and knows no clock, no configuration source and no service: what a route leads to is a type
//! parameter. What must hold: [`RouteTable::find`] gives the same answer as trying every rule in the order of rank,
//! whatever the index underneath does; and nothing that a client sends can make it fail or allocate without bound.

mod cidr;
mod head;
mod host;
mod http;
mod path;
mod pattern;
mod rank;
pub mod rule;
mod substrings;
pub mod tcp;
mod template;

pub use head::{Head, HeaderLookup};
pub use host::{CanonicalHost, InvalidHost, canonical_host};
pub use http::{Candidates, Failing, HttpRule, RouteTable};
pub use path::{InvalidEscape, routing_path};
pub use rank::{MAX_PRIORITY, Route, default_priority};
pub use rule::{RuleError, Syntax};
