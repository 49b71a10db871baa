//! Headers set and removed on the way in and out.

use bytes::Bytes;
use trafficcop_exchange::{Exchange, Filter, Flow, Line, Request, Response};

use super::Headers;

pub(super) struct Custom {
    request: Vec<Line>,
    response: Vec<Line>,
}

impl Custom {
    pub(super) fn of(settings: &Headers) -> Option<Self> {
        let (request, response) = (&settings.custom_request_headers, &settings.custom_response_headers);
        let lines = |map: &std::collections::BTreeMap<String, String>| {
            map.iter().map(|(name, value)| Line::new(name, value)).collect()
        };
        (!request.is_empty() || !response.is_empty())
            .then(|| Self { request: lines(request), response: lines(response) })
    }
}

impl Filter for Custom {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        for line in &self.request {
            if line.name().eq_ignore_ascii_case(b"host") {
                if !line.value().is_empty() {
                    req.host = Bytes::copy_from_slice(line.value());
                }
                continue;
            }
            // Removed on purpose: the proxy must not begin a new list either.
            if line.name().eq_ignore_ascii_case(b"x-forwarded-for") {
                cx.omit_forwarded_for = line.value().is_empty();
            }
            apply(&mut req.headers, line);
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
        for line in &self.response {
            apply(&mut res.headers, line);
        }
    }
}

fn apply(headers: &mut trafficcop_exchange::Headers, line: &Line) {
    if line.value().is_empty() {
        headers.remove(std::str::from_utf8(line.name()).unwrap_or_default());
    } else {
        headers.set_line(line);
    }
}
