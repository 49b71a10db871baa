//! How a typed model gets what serde has no word for: the place of a value, and a subtree as it is.
//!
//! [`At`](crate::At) and [`Node`] ask for a newtype struct of a reserved name. Our decoder knows the names and lays
//! what is asked for into a thread-local slot right before it calls the visitor, which takes it out as its first act;
//! so a slot is never full while anything else runs. Any other deserializer leaves the slots empty: the value is then
//! without a place.

use std::cell::RefCell;

use crate::{Node, Origin};

pub(crate) const AT: &str = "$trafficcop::At";
pub(crate) const NODE: &str = "$trafficcop::Node";

thread_local! {
    static PLACE: RefCell<Option<Origin>> = const { RefCell::new(None) };
    static SUBTREE: RefCell<Option<Node>> = const { RefCell::new(None) };
}

pub(crate) fn give_place(at: Origin) {
    PLACE.set(Some(at));
}

pub(crate) fn take_place() -> Origin {
    PLACE.take().unwrap_or_default()
}

pub(crate) fn give_node(node: Node) {
    SUBTREE.set(Some(node));
}

pub(crate) fn take_node() -> Option<Node> {
    SUBTREE.take()
}
