//! What a line says of a route and its server: the same for all requests that went there, so it is made once.

use std::cell::RefCell;
use std::sync::Arc;

use trafficcop_exchange::{RouteInfo, ServerInfo};

/// Ways that each thread remembers; those that meet in one place make room for each other.
const PLACES: usize = 64;

thread_local! {
    static STRETCHES: RefCell<Vec<Option<Stretch>>> = const { RefCell::new(Vec::new()) };
}

/// Told from others by where both of them are kept; it holds on to them.
struct Stretch {
    route: Arc<RouteInfo>,
    server: Arc<ServerInfo>,
    /// Which fields are shown.
    shown: u64,
    text: Vec<u8>,
}

/// Appends the stretch of this way, which `make` makes if it is not remembered.
pub(super) fn push(
    out: &mut Vec<u8>,
    route: &Arc<RouteInfo>,
    server: &Arc<ServerInfo>,
    shown: u64,
    make: impl FnOnce(&mut Vec<u8>),
) {
    STRETCHES.with_borrow_mut(|stretches| {
        if stretches.is_empty() {
            stretches.resize_with(PLACES, || None);
        }
        let mixed = Arc::as_ptr(route).addr() ^ Arc::as_ptr(server).addr().rotate_left(32);
        let place = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - PLACES.trailing_zeros());
        let is_it = |known: &Stretch| {
            Arc::ptr_eq(&known.route, route) && Arc::ptr_eq(&known.server, server) && known.shown == shown
        };
        if let Some(known) = stretches[place].as_ref().filter(|known| is_it(known)) {
            return out.extend_from_slice(&known.text);
        }
        let mut text = Vec::new();
        make(&mut text);
        out.extend_from_slice(&text);
        stretches[place] = Some(Stretch { route: Arc::clone(route), server: Arc::clone(server), shown, text });
    });
}
