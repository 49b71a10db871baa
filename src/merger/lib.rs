//! Many configurations → one.
//!
//! [`merge`] is pure: it qualifies names by their provider, settles defaults and what two providers say about the same
//! thing, applies what entry points give to their routers, and finds which object uses which and which names lead
//! nowhere. [`Inbox`] stands before it: it keeps the latest configuration of each provider and waits out storms.
//!
//! Knows no provider, no rule language and no middleware. What must hold: the same configurations give the same
//! [`Merged`], in whatever order they came; and what is wrong with one object is told on that object, never on others.

mod conflicts;
mod context;
pub mod inbox;
mod merge;
mod merged;
mod models;
mod note;
mod references;
mod tree;

pub use context::{Context, EntryPoint};
pub use inbox::{Inbox, News, Round};
pub use merge::{Configurations, Hosts, merge};
pub use merged::{Http, HttpRouter, Map, Merged, Object, Tcp, Udp};
pub use note::{Note, Severity};

use trafficcop_config::{Name, suggest};

/// "did you mean …?" for a name that leads nowhere.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest::nearest(name, known).map(|nearest| format!("did you mean {nearest:?}?"))
}

/// [`hint`] among qualified names.
pub fn nearest<'a>(name: &Name, known: impl IntoIterator<Item = &'a Name>) -> Option<String> {
    hint(name.as_str(), known.into_iter().map(Name::as_str))
}
