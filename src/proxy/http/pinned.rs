//! Clients that have connections to servers for themselves.
//!
//! NTLM and Negotiate authenticate a connection, not a request: once a server has asked for either, the requests of that
//! client's connection must not share connections with anybody else's.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use trafficcop_exchange::{ConnectionInfo, Response};

/// How a request may travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// It wants to leave HTTP, or must have a connection for itself.
    pub(crate) http1_only: bool,
    /// Whose connections it uses; 0: everybody's.
    pub(crate) owner: u64,
}

/// Clients of one worker that are pinned at a time; those beyond share.
const MOST_PINNED: usize = 4096;

thread_local! {
    static PINNED: RefCell<Vec<(Weak<ConnectionInfo>, u64)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u64> = const { Cell::new(1) };
}

/// The way of a request that came by that connection.
pub(crate) fn way(client: &Rc<ConnectionInfo>, is_upgrade: bool) -> Way {
    let owner = PINNED.with_borrow(|pinned| {
        let is_it = |(connection, _): &&(Weak<ConnectionInfo>, u64)| connection.as_ptr() == Rc::as_ptr(client);
        pinned.iter().find(is_it).map_or(0, |(_, owner)| *owner)
    });
    Way { http1_only: is_upgrade || owner != 0, owner }
}

/// Pins the client if this answer begins such an authentication.
pub(crate) fn learn(client: &Rc<ConnectionInfo>, response: &Response) {
    let mut asked = response.headers.get_all("www-authenticate");
    if !asked.any(|value| value.starts_with(b"NTLM") || value.starts_with(b"Negotiate"))
        || way(client, false).owner != 0
    {
        return;
    }
    PINNED.with_borrow_mut(|pinned| {
        pinned.retain(|(connection, _)| connection.strong_count() > 0);
        if pinned.len() < MOST_PINNED {
            pinned.push((Rc::downgrade(client), NEXT.replace(NEXT.get() + 1)));
        }
    });
}

/// Whether that owner can still come back.
pub(crate) fn is_there(owner: u64) -> bool {
    let is_it = |(connection, other): &(Weak<ConnectionInfo>, u64)| *other == owner && connection.strong_count() > 0;
    owner == 0 || PINNED.with_borrow(|pinned| pinned.iter().any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::*;
    use trafficcop_exchange::Method;

    #[tokio::test]
    async fn an_authenticated_connection_is_shared_with_nobody() {
        worker(async {
            let ntlm = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";
            let backend = Backend::start(move |connection, _, request| {
                if request.contains("X-Connection") { ok(&format!("{connection}")) } else { Act::Answer(ntlm.into()) }
            })
            .await;
            let service = servers(&[&backend.url]);
            let (mut one, mut two) = (exchange(), exchange());
            let asked = || {
                let mut request = request(Method::GET, "/");
                request.headers.append("X-Connection", "?");
                request
            };
            assert_eq!(ask_in(&*service, request(Method::GET, "/"), &mut one).await.0, 401);
            assert_eq!(ask_in(&*service, asked(), &mut one).await.1, "2", "one of its own");
            assert_eq!(ask_in(&*service, asked(), &mut two).await.1, "1", "the one that is shared");
            assert_eq!(ask_in(&*service, asked(), &mut one).await.1, "2");
            assert_eq!(ask_in(&*service, asked(), &mut two).await.1, "1");
            let owner = way(&one.connection, false).owner;
            assert!(is_there(owner) && is_there(0));
            drop(one);
            assert!(!is_there(owner));
        })
        .await;
    }
}
