//! Request and response heads: those of `http` ↔ ours.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use trafficcop_exchange::{Body, Headers, Request, Response, StatusCode, Target};

/// A request as everybody behind the entry point knows it: the host apart, cookies on one line.
pub(crate) fn request<S>(request: http::Request<S>, body: impl FnOnce(S) -> Body) -> Request {
    let (parts, stream) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let host = match parts.uri.authority() {
        Some(authority) => Bytes::copy_from_slice(authority.as_str().as_bytes()),
        None => parts.headers.get(header::HOST).map(|host| Bytes::copy_from_slice(host.as_bytes())).unwrap_or_default(),
    };
    let mut ours = Request::new(parts.method, Target::parse(Bytes::copy_from_slice(target.as_bytes())));
    ours.host = host;
    ours.version = parts.version;
    ours.headers = headers(&parts.headers);
    ours.body = body(stream);
    ours
}

/// All lines over one buffer. HTTP/2 may split cookies over several lines; servers expect one.
fn headers(lines: &HeaderMap) -> Headers {
    let size = lines.iter().map(|(name, value)| name.as_str().len() + value.len() + 2).sum();
    let mut head = BytesMut::with_capacity(size);
    let mut spans = smallvec::SmallVec::<[(usize, usize, usize); 16]>::new();
    for (name, value) in lines {
        // The expectation is met here: the body asks when it is wanted.
        let is_met = *name == header::EXPECT && is_continue(value);
        if is_met || *name == header::HOST || *name == header::COOKIE {
            continue;
        }
        let start = head.len();
        head.put_slice(name.as_str().as_bytes());
        let middle = head.len();
        head.put_slice(value.as_bytes().trim_ascii());
        spans.push((start, middle, head.len()));
    }
    if lines.contains_key(header::COOKIE) {
        let start = head.len();
        head.put_slice(b"cookie");
        let middle = head.len();
        for (index, cookie) in lines.get_all(header::COOKIE).iter().enumerate() {
            if index > 0 {
                head.put_slice(b"; ");
            }
            head.put_slice(cookie.as_bytes());
        }
        spans.push((start, middle, head.len()));
    }
    let mut headers = Headers::over(head.freeze());
    for (start, middle, end) in spans {
        headers.push_read(start..middle, middle..end);
    }
    headers
}

/// Whether the client waits for `100 Continue` before it sends the body.
pub(crate) fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get_all(header::EXPECT).iter().any(is_continue)
}

fn is_continue(value: &HeaderValue) -> bool {
    value.as_bytes().split(|byte| *byte == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(b"100-continue"))
}

/// The announced length of the body; `h2` has checked that it is right.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The head of an answer, and its body. As Go does, the length is told where it is known.
pub(crate) fn response(response: Response, is_head: bool) -> (http::Response<()>, Body) {
    let Response { status, headers, body, .. } = response;
    let mut head = http::Response::new(());
    *head.status_mut() = status;
    let mut map = header_map(&headers);
    let may_have_body = !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if may_have_body && !map.contains_key(header::CONTENT_LENGTH) {
        match body.remaining() {
            Some(0) if is_head => {}
            Some(length) => drop(map.insert(header::CONTENT_LENGTH, length.into())),
            None => {}
        }
    }
    if !map.contains_key(header::DATE) {
        map.insert(header::DATE, date());
    }
    *head.headers_mut() = map;
    (head, if may_have_body { body } else { Body::Empty })
}

/// A 1xx answer.
pub(crate) fn interim(status: StatusCode, headers: &Headers) -> http::Response<()> {
    let mut head = http::Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = header_map(headers);
    head
}

thread_local! {
    /// The second and how it reads as a date.
    static DATE: RefCell<(u64, HeaderValue)> = const { RefCell::new((0, HeaderValue::from_static(""))) };
}

fn date() -> HeaderValue {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    DATE.with_borrow_mut(|(shown, text)| {
        if *shown != second {
            *shown = second;
            *text = HeaderValue::from_str(&httpdate::fmt_http_date(now)).expect("a date is visible ASCII");
        }
        text.clone()
    })
}

/// Our lines as a map; what HTTP/2 and 3 may not carry is left out.
pub(crate) fn header_map(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter().filter(|(name, _)| !is_of_the_connection(name)) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}

fn is_of_the_connection(name: &str) -> bool {
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]
        .iter()
        .any(|other| other.eq_ignore_ascii_case(name))
}

/// A map as our lines.
pub(crate) fn lines(map: &HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| {
            (Bytes::copy_from_slice(name.as_str().as_bytes()), Bytes::copy_from_slice(value.as_bytes()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_become_one_line_and_the_host_none() {
        let mut map = HeaderMap::new();
        map.append(header::COOKIE, HeaderValue::from_static("a=1"));
        map.append("x-b", HeaderValue::from_static("2"));
        map.append(header::HOST, HeaderValue::from_static("a.test"));
        map.append(header::COOKIE, HeaderValue::from_static("b=2"));
        let headers = headers(&map);
        assert_eq!(headers.get_str("Cookie"), Some("a=1; b=2"));
        assert_eq!(headers.get_str("X-B"), Some("2"));
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn what_belongs_to_a_connection_stays_behind() {
        let headers: Headers =
            [("X-Up", "1"), ("Connection", "close"), ("Keep-Alive", "5"), ("x-up", "2")].into_iter().collect();
        let map = header_map(&headers);
        assert_eq!(map.get_all("x-up").iter().count(), 2);
        assert_eq!(map.len(), 2);
    }
}
