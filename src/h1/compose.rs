//! Heads as bytes. Pure, but for the date.
//!
//! Whatever the headers hold, nothing that is written can end a line early: values lose CR and LF, lines with a broken
//! name are left out.

use trafficcop_exchange::{Headers, Method, Request, Response, Spelled, StatusCode};

use crate::canonical::push_name;
use crate::date;
use crate::framing::Framing;
use crate::phrase::phrase;

/// Appends a request's head as Go's client orders it: line, Host, User-Agent, framing, the rest.
pub fn request_head(out: &mut Vec<u8>, request: &Request, framing: Framing, canonical: bool) {
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b' ');
    push_target(out, request.target.path_bytes());
    if let Some(query) = request.target.query() {
        out.push(b'?');
        push_target(out, query.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    push_value(out, &request.host);
    out.extend_from_slice(b"\r\n");
    let agent = request.headers.get("user-agent").unwrap_or_default();
    if !agent.is_empty() {
        push_line(out, b"User-Agent", agent);
    }
    match framing {
        // Go says it for the methods that promise a body.
        Framing::Empty if matches!(request.method, Method::POST | Method::PUT | Method::PATCH) => {
            out.extend_from_slice(b"Content-Length: 0\r\n");
        }
        Framing::Empty => {}
        Framing::Length(length) => push_length(out, length),
        Framing::Chunked | Framing::UntilClose => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
    if let Some(protocol) = &request.upgrade {
        out.extend_from_slice(b"Connection: Upgrade\r\n");
        push_line(out, b"Upgrade", protocol);
    }
    for (spelled, value) in request.headers.spelled() {
        let name = spelled.name;
        let is_ours = match name.len() {
            4 => name.eq_ignore_ascii_case(b"host"),
            7 => request.upgrade.is_some() && name.eq_ignore_ascii_case(b"upgrade"),
            10 => name.eq_ignore_ascii_case(b"user-agent") || name.eq_ignore_ascii_case(b"connection"),
            14 => name.eq_ignore_ascii_case(b"content-length"),
            17 => name.eq_ignore_ascii_case(b"transfer-encoding"),
            _ => false,
        };
        if !is_ours {
            push_spelled(out, spelled, value, canonical);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// What the answering engine has settled about an answer.
#[derive(Clone, Copy, Debug)]
pub struct Answering {
    /// The client speaks HTTP/1.0.
    pub is_10: bool,
    /// The request was HEAD.
    pub is_head: bool,
    /// The connection ends after this answer.
    pub closes: bool,
    pub framing: Framing,
    pub canonical: bool,
}

/// Appends an answer's head: line, headers in their order, then what was missing.
pub fn response_head(out: &mut Vec<u8>, response: &Response, answering: Answering) {
    let Answering { is_10, is_head, closes, framing, canonical } = answering;
    push_status_line(out, is_10, response.status, response.phrase.as_deref());
    let (mut has_date, mut has_length, mut has_connection) = (false, false, false);
    for (spelled, value) in response.headers.spelled() {
        let name = spelled.name;
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"date") => has_date = true,
            // A connection that closes says so once, and for HTTP/1.0 silence says it.
            10 if name.eq_ignore_ascii_case(b"connection") => {
                if closes {
                    continue;
                }
                has_connection = true;
            }
            // Go leaves the type of what is not sent out, and so does Traefik.
            12 if response.status == StatusCode::NOT_MODIFIED && name.eq_ignore_ascii_case(b"content-type") => continue,
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                // Where the headers had it, the length is told there; of HEAD answers it is all we know.
                if !has_length {
                    has_length = push_settled_length(out, value, framing, is_head, response.status);
                }
                continue;
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => continue,
            _ => {}
        }
        push_spelled(out, spelled, value, canonical);
    }
    if !has_date {
        out.extend_from_slice(b"Date: ");
        date::push(out);
        out.extend_from_slice(b"\r\n");
    }
    match framing {
        Framing::Empty if !has_length && !is_head && allows_body(response.status) => {
            out.extend_from_slice(b"Content-Length: 0\r\n");
        }
        Framing::Length(length) if !has_length => push_length(out, length),
        _ => {}
    }
    if closes && !is_10 {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if !closes && is_10 && !has_connection {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
    if framing == Framing::Chunked && !is_head {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// The `Content-Length` line of an answer whose headers have one; says whether it was written.
fn push_settled_length(out: &mut Vec<u8>, value: &[u8], framing: Framing, is_head: bool, status: StatusCode) -> bool {
    match framing {
        _ if !allows_body(status) => return false,
        Framing::Length(length) => push_length(out, length),
        Framing::Empty if is_head => match crate::framing::parse_length(value) {
            Some(length) => push_length(out, length),
            None => return false,
        },
        Framing::Empty => push_length(out, 0),
        Framing::Chunked | Framing::UntilClose => return false,
    }
    true
}

/// Appends an interim answer (1xx).
pub fn interim_head(out: &mut Vec<u8>, status: StatusCode, headers: &Headers, canonical: bool) {
    push_status_line(out, false, status, None);
    for (name, value) in headers.lines() {
        if !matches!(name.len(), 14 | 17)
            || !(name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding"))
        {
            push_header(out, name, value, canonical);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the head of a 101 answer.
pub fn switching_head(out: &mut Vec<u8>, response: &Response, protocol: Option<&[u8]>, canonical: bool) {
    push_status_line(out, false, response.status, response.phrase.as_deref());
    out.extend_from_slice(b"Connection: Upgrade\r\n");
    for (name, value) in response.headers.lines() {
        if !name.eq_ignore_ascii_case(b"connection") {
            push_header(out, name, value, canonical);
        }
    }
    if let Some(protocol) = protocol.filter(|_| !response.headers.contains("upgrade")) {
        push_line(out, b"Upgrade", protocol);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the end of a chunked body.
pub fn last_chunk(out: &mut Vec<u8>, trailers: Option<&Headers>, canonical: bool) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.into_iter().flat_map(Headers::lines) {
        push_header(out, name, value, canonical);
    }
    out.extend_from_slice(b"\r\n");
}

/// 1xx, 204 and 304 have no body, and no length of one either.
pub(crate) fn allows_body(status: StatusCode) -> bool {
    !status.is_informational() && status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED
}

fn push_status_line(out: &mut Vec<u8>, is_10: bool, status: StatusCode, given: Option<&[u8]>) {
    out.extend_from_slice(if is_10 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    if let Some(phrase) = given.or_else(|| phrase(status.as_u16()).map(str::as_bytes)) {
        push_value(out, phrase);
    } else {
        out.extend_from_slice(b"status code ");
        out.extend_from_slice(status.as_str().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn push_header(out: &mut Vec<u8>, name: &[u8], value: &[u8], canonical: bool) {
    if push_name(out, name, canonical) {
        out.extend_from_slice(b": ");
        push_value(out, value);
        out.extend_from_slice(b"\r\n");
    }
}

fn push_spelled(out: &mut Vec<u8>, spelled: Spelled<'_>, value: &[u8], canonical: bool) {
    if spelled.is_known {
        push_line(out, spelled.name, value);
    } else {
        push_header(out, spelled.name, value, canonical);
    }
}

fn push_line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    push_value(out, value);
    out.extend_from_slice(b"\r\n");
}

/// The value; line breaks become blanks.
fn push_value(out: &mut Vec<u8>, value: &[u8]) {
    // Without a branch per byte: values are short, and the compiler makes this wide.
    if value.iter().fold(false, |broken, byte| broken | matches!(byte, b'\r' | b'\n' | 0)) {
        out.extend(value.iter().map(|byte| if matches!(byte, b'\r' | b'\n' | 0) { b' ' } else { *byte }));
    } else {
        out.extend_from_slice(value);
    }
}

/// A part of the target; blanks and control characters, which would end it early, are escaped.
fn push_target(out: &mut Vec<u8>, text: &[u8]) {
    if text.iter().all(|byte| *byte > b' ' && *byte != 0x7f) {
        out.extend_from_slice(text);
        return;
    }
    for byte in text {
        if *byte > b' ' && *byte != 0x7f {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

fn push_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"Content-Length: ");
    push_decimal(out, length);
    out.extend_from_slice(b"\r\n");
}

fn push_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}
