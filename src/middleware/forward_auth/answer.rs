//! What the other server's answer does to the request, and to the client.

use bytes::Bytes;
use trafficcop_exchange::{Body, Exchange, Headers, Request, Response, StatusCode, reply};

use super::Gate;
use super::question::strip_hop_by_hop;
use crate::grpc_web::canonical_list;

impl Gate {
    /// A permission: the request takes over what it may. What the client itself sent under those names is removed.
    pub(super) fn take_over(&self, answer: &Headers, req: &mut Request, cx: &mut Exchange) {
        for name in &self.response_headers {
            req.headers.remove(name);
            for value in answer.get_all(name) {
                req.headers.append(name.clone(), Bytes::copy_from_slice(value));
            }
        }
        if let Some(pattern) = &self.pattern {
            // As Go spells them, with regard to case.
            let is_match = |name: &str| pattern.is_match(&canonical_list(name));
            req.headers.retain(|name, _| !is_match(name));
            for (name, value) in answer.iter().filter(|(name, _)| is_match(name)) {
                req.headers.append(name.to_owned(), Bytes::copy_from_slice(value));
            }
        }
        if !self.user.is_empty() {
            cx.user = answer.get_str(&self.user).map(Into::into);
        }
    }

    /// Cookies of the permission that the client gets, in the place of the back end's of the same names.
    pub(super) fn add_cookies(&self, answer: &Headers, response: &mut Headers) {
        let wanted = |value: &[u8]| self.cookies.iter().any(|name| cookie_name(value) == name.as_bytes());
        let cookies: Vec<_> =
            answer.get_all("Set-Cookie").filter(|value| wanted(value)).map(Bytes::copy_from_slice).collect();
        if cookies.is_empty() {
            return;
        }
        response.retain(|name, value| {
            let replaced = cookies.iter().any(|cookie| cookie_name(cookie) == cookie_name(value));
            !(name.eq_ignore_ascii_case("Set-Cookie") && replaced)
        });
        for cookie in cookies {
            response.append("Set-Cookie", cookie);
        }
    }

    /// Anything but a permission goes to the client.
    pub(super) fn refusal(&self, answer: Response, body: Bytes) -> Response {
        if answer.status == StatusCode::UNAUTHORIZED && !self.signin.is_empty() {
            let mut response = reply::empty(StatusCode::FOUND);
            response.headers.append("Location", self.signin.clone());
            return response;
        }
        let mut response = Response::new(answer.status);
        response.headers = answer.headers;
        strip_hop_by_hop(&mut response.headers);
        if !self.keep_location
            && let Some(location) = response.headers.get_str("Location")
            && let Ok(absolute) = self.address.join(location)
        {
            response.headers.insert("Location", String::from(absolute));
        }
        response.body = Body::from(body);
        response
    }
}

fn cookie_name(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == b'=' || *byte == b';').next().unwrap_or(value).trim_ascii()
}
