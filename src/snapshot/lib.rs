//! Merged configuration → [`Snapshot`]: where names become pointers.
//!
//! A [`Builder`] turns each [`Merged`](trafficcop_merger::Merged) into a complete, immutable snapshot, on the control
//! plane; [`Live`] hands it to the workers. What must hold: an object that cannot be built disables itself and its users
//! and nothing else; an object whose settings and parts did not change keeps its built form, thus its state; building
//! step by step gives what building afresh would give.

mod build;
mod entry;
mod explain;
mod find;
mod live;
mod report;
mod udp;

pub use build::{Builder, Environment};
pub use entry::{Disabled, Entry, Route, Snapshot, TcpRoute, TcpTls, TlsOptionsByHost};
pub use explain::{Explanation, Other, Question, Winner, explain};
pub use find::find;
pub use live::{Current, Live};
pub use report::{ObjectReport, Protocol, Report, Servers, Status};
