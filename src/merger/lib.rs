//! Many configurations → one.
//!
//! [`merge`] is pure: it qualifies names by their provider, settles defaults and what two providers say about the same
//! thing, applies what entry points give to their routers, and finds which object uses which and which names lead
//! nowhere. [`Inbox`] stands before it: it keeps the latest configuration of each provider and waits out storms.
//!
//! Knows no provider, no rule language and no middleware. What must hold: the same configurations give the same
//! [`Merged`], in whatever order they came; and what is wrong with one object is told on that object, never on others.

mod context;
pub mod inbox;
mod merge;
mod merged;
mod note;

pub use context::{Context, EntryPoint};
pub use inbox::{Inbox, News, Round};
pub use merge::{Configurations, merge};
pub use merged::{Http, HttpRouter, Map, Merged, Object, Tcp, Udp};
pub use note::{Note, Severity};
