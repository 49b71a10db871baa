//! What stands before a router's own middlewares: loop protection, denial of encoded characters, and the check that the
//! connection's TLS options are those of the router.

use std::sync::Arc;

use trafficcop_config::Name;
use trafficcop_config::settings::Settings;
use trafficcop_config::settings::entry_points::EncodedCharacters;
use trafficcop_exchange::{Exchange, Filter, Flow, Reason, Request, StatusCode, Step, reply};
use trafficcop_merger::HttpRouter;
use trafficcop_middleware::encoded_characters::Deny;

/// The guards of a router, outermost first.
pub(super) fn of(name: &Name, router: &HttpRouter, settings: &Settings) -> Vec<Step> {
    let mut guards = Vec::new();
    let router_settings = &router.object.settings;
    if router_settings.default_rule {
        guards.push(Step::Filter(Arc::new(LoopGuard::new(name.as_str()))));
    }
    let entry_point = router.model.as_ref().and_then(|name| settings.entry_points.get(name));
    let denied = entry_point.map(|entry_point| denied(&entry_point.http.encoded_characters)).unwrap_or_default();
    if !denied.is_empty() {
        guards.push(Step::Filter(Arc::new(Deny::new(denied))));
    }
    if router_settings.tls.is_some() {
        guards.push(Step::Filter(Arc::new(TlsOptionsGuard { options: Arc::clone(&router.tls_options) })));
    }
    guards
}

fn denied(allowed: &EncodedCharacters) -> Vec<u8> {
    let table = [
        (allowed.allow_encoded_slash, b'/'),
        (allowed.allow_encoded_back_slash, b'\\'),
        (allowed.allow_encoded_null_character, 0),
        (allowed.allow_encoded_semicolon, b';'),
        (allowed.allow_encoded_percent, b'%'),
        (allowed.allow_encoded_question_mark, b'?'),
        (allowed.allow_encoded_hash, b'#'),
    ];
    table.iter().filter(|(is_allowed, _)| !is_allowed).map(|(_, byte)| *byte).collect()
}

/// The header by which a router with a default rule recognizes its own requests.
const HEADER: &str = "X-Traefik-Router";

/// A default rule is made from a container's name, and may well match the requests that are sent to that container.
struct LoopGuard {
    mark: Box<str>,
}

impl LoopGuard {
    fn new(router: &str) -> Self {
        Self { mark: format!("{:x}", fnv_1(router)).into() }
    }
}

impl Filter for LoopGuard {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        if req.headers.get(HEADER) == Some(self.mark.as_bytes()) {
            cx.reason = Some(Reason::Loop);
            return Flow::Break(reply::empty(StatusCode::BAD_REQUEST));
        }
        req.headers.insert(HEADER, self.mark.to_string());
        Flow::Continue(())
    }
}

/// FNV-1 (not 1a) of 64 bits.
fn fnv_1(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| hash.wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(byte))
}

/// A connection whose server name led to other TLS options must not reach a router that asks for these.
struct TlsOptionsGuard {
    options: Arc<str>,
}

impl Filter for TlsOptionsGuard {
    fn request(&self, _: &mut Request, cx: &mut Exchange) -> Flow {
        let Some(tls) = &cx.connection.tls else { return Flow::Continue(()) };
        if *tls.options == *self.options {
            return Flow::Continue(());
        }
        cx.reason = Some(Reason::MisdirectedRequest);
        Flow::Break(reply::error(StatusCode::MISDIRECTED_REQUEST, "Misdirected Request"))
    }
}

#[cfg(test)]
mod tests {
    use super::fnv_1;

    #[test]
    fn fnv_is_the_first_of_its_kind() {
        assert_eq!(format!("{:x}", fnv_1("")), "cbf29ce484222325");
        assert_eq!(format!("{:x}", fnv_1("a")), "af63bd4c8601b7be");
    }
}
