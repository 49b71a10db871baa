//! Headers set and removed on the way in and out.

use bytes::Bytes;
use trafficcop_exchange::{Exchange, Filter, Flow, Request, Response};

use super::Headers;

pub(super) struct Custom {
    request: Vec<(Bytes, Bytes)>,
    response: Vec<(Bytes, Bytes)>,
}

impl Custom {
    pub(super) fn of(settings: &Headers) -> Option<Self> {
        let (request, response) = (&settings.custom_request_headers, &settings.custom_response_headers);
        let lines = |map: &std::collections::BTreeMap<String, String>| {
            map.iter().map(|(name, value)| (Bytes::from(name.clone()), Bytes::from(value.clone()))).collect()
        };
        (!request.is_empty() || !response.is_empty())
            .then(|| Self { request: lines(request), response: lines(response) })
    }
}

impl Filter for Custom {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        for (name, value) in &self.request {
            if name.eq_ignore_ascii_case(b"host") {
                if !value.is_empty() {
                    req.host = value.clone();
                }
                continue;
            }
            // Removed on purpose: the proxy must not begin a new list either.
            if name.eq_ignore_ascii_case(b"x-forwarded-for") {
                cx.omit_forwarded_for = value.is_empty();
            }
            apply(&mut req.headers, name, value);
        }
        Flow::Continue(())
    }

    fn has_response(&self) -> bool {
        !self.response.is_empty()
    }

    fn response(&self, res: &mut Response, _: &mut Exchange) {
        if super::is_handed_over(res) {
            return;
        }
        for (name, value) in &self.response {
            apply(&mut res.headers, name, value);
        }
    }
}

fn apply(headers: &mut trafficcop_exchange::Headers, name: &Bytes, value: &Bytes) {
    if value.is_empty() {
        headers.remove(std::str::from_utf8(name).unwrap_or_default());
    } else {
        headers.set(name, value);
    }
}
