//! Request heads.

use bytes::Bytes;
use trafficcop_exchange::{Body, Headers, Method, Request, Version};

use super::target::{self, Form};
use super::{ConnectionTokens, FewLines, Framed, Known, Limits, few_lines, lenient, range_in};
use crate::framing::Framing;
use crate::refusal::Refusal;

/// A request whose head has come, and what its lines ask of the engine.
#[derive(Debug)]
pub struct RequestHead {
    /// Without its body yet.
    pub request: Request,
    /// Length of the head in bytes, final empty line included.
    pub len: usize,
    pub framing: Framing,
    /// The client asked for the end of the connection (or, in HTTP/1.0, did not ask to keep it).
    pub wants_close: bool,
    /// `Expect: 100-continue` in HTTP/1.1, with a body to come.
    pub expects_continue: bool,
    /// `Expect` with anything else: 417.
    pub expects_nonsense: bool,
    /// The target was a URI without a path (`mailto:x`): for nobody.
    pub is_opaque: bool,
}

/// Reads a request's head from the start of `buf`. `None`: it is not whole yet. Boxed, since it is passed on often.
pub fn parse_request(buf: &[u8], limits: Limits) -> Result<Option<Box<RequestHead>>, Refusal> {
    match buf.first() {
        None => return Ok(None),
        // httparse would skip empty lines before a request.
        Some(b'\r' | b'\n') => return Err(Refusal::Malformed),
        Some(_) => {}
    }
    match parse_strict(buf, limits) {
        Ok(None) if limits.is_too_long(buf.len()) => Err(Refusal::TooLarge),
        Err(Fault::Syntax) => parse_lenient(buf, limits),
        Ok(head) => Ok(head),
        Err(Fault::Refused(refusal)) => Err(refusal),
    }
}

enum Fault {
    /// httparse did not understand it; Go might.
    Syntax,
    Refused(Refusal),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn parse_strict(buf: &[u8], limits: Limits) -> Result<Option<Box<RequestHead>>, Fault> {
    let mut few: FewLines = few_lines();
    let mut read = httparse::Request::new(&mut []);
    match read.parse_with_uninit_headers(buf, &mut few) {
        Ok(httparse::Status::Complete(len)) => return build(buf, len, &read, limits).map(Some),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {}
        Err(_) => return Err(Fault::Syntax),
    }
    let mut many = super::many_lines(buf, limits);
    let mut read = httparse::Request::new(&mut many);
    match read.parse(buf) {
        Ok(httparse::Status::Complete(len)) => build(buf, len, &read, limits).map(Some),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(Refusal::TooLarge.into()),
        Err(_) => Err(Fault::Syntax),
    }
}

/// Takes what Go takes beyond the standard by rewriting it to the standard; names faults in Go's order.
fn parse_lenient(buf: &[u8], limits: Limits) -> Result<Option<Box<RequestHead>>, Refusal> {
    let Some(rewritten) = lenient::request(buf)? else {
        return if limits.is_too_long(buf.len()) { Err(Refusal::TooLarge) } else { Ok(None) };
    };
    let parsed = match parse_strict(&rewritten.head, limits) {
        Ok(Some(head)) => Ok(head),
        Ok(None) | Err(Fault::Syntax) => Err(Refusal::Malformed),
        Err(Fault::Refused(refusal)) => Err(refusal),
    };
    match parsed {
        Err(fault @ (Refusal::Malformed | Refusal::TransferEncoding | Refusal::TooLarge)) => Err(fault),
        _ if rewritten.is_other_version => Err(Refusal::Version),
        Err(fault) => Err(fault),
        Ok(_) if rewritten.has_blank_in_name => Err(Refusal::HeaderName),
        Ok(mut head) => {
            head.len = rewritten.len;
            Ok(Some(head))
        }
    }
}

fn build(buf: &[u8], len: usize, read: &httparse::Request<'_, '_>, limits: Limits) -> Result<Box<RequestHead>, Fault> {
    if limits.is_too_long(len) {
        return Err(Refusal::TooLarge.into());
    }
    let (method, path, minor) = (read.method.unwrap_or(""), read.path.unwrap_or(""), read.version.unwrap_or(1));
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Refusal::Malformed)?;
    let head = Bytes::copy_from_slice(&buf[..len]);
    let target = target::read(&head, range_in(buf, path.as_bytes()), method == Method::CONNECT)?;

    let mut headers = Headers::over_with_capacity(head.clone(), read.headers.len() + 8);
    let mut framed = Framed::default();
    let mut tokens = ConnectionTokens::default();
    let (mut hosts, mut host) = (0, 0..0);
    let (mut upgrade, mut expect, mut bad_trailer) = (None, None, false);
    for line in read.headers.iter() {
        let (name, value) = (line.name.as_bytes(), line.value);
        match Known::of(name) {
            Known::Host => {
                if hosts == 0 {
                    host = range_in(buf, value);
                }
                hosts += 1;
                continue;
            }
            Known::TransferEncoding => {
                framed.transfer_encoding(value);
                continue;
            }
            Known::ContentLength => framed.lengths.read(value),
            Known::Connection => tokens.read(value),
            Known::Expect => {
                expect.get_or_insert(value);
            }
            Known::Upgrade => {
                upgrade.get_or_insert_with(|| range_in(buf, value));
            }
            Known::Trailer => bad_trailer |= super::announces_forbidden_trailer(value),
            Known::Other => {}
        }
        headers.push_read(range_in(buf, name), range_in(buf, value));
    }

    let is_10 = minor == 0;
    if hosts > 1 {
        return Err(Refusal::Malformed.into());
    }
    let is_encoded = framed.chunked.is_some();
    let framing = settle(&framed, is_10, bad_trailer, &mut headers)?;
    if hosts == 0 && !is_10 && method != Method::CONNECT {
        return Err(Refusal::MissingHost.into());
    }
    if !target::is_host(&head[host.clone()]) {
        return Err(Refusal::MalformedHost.into());
    }
    let continues = expect.is_some_and(has_continue);
    let request = Request {
        method,
        target: target.target,
        host: target.host.unwrap_or_else(|| head.slice(host)),
        version: if is_10 { Version::HTTP_10 } else { Version::HTTP_11 },
        upgrade: upgrade.filter(|_| tokens.upgrade).map(|value| head.slice(value)),
        headers,
        body: Body::Empty,
    };
    Ok(Box::new(RequestHead {
        request,
        len,
        framing,
        // An old client that frames by an encoding it cannot know is out of step with us.
        wants_close: if is_10 { !tokens.keep_alive || is_encoded } else { tokens.close },
        expects_continue: continues && !is_10 && framing != Framing::Empty,
        expects_nonsense: !continues && expect.is_some_and(|value| !value.is_empty()),
        is_opaque: target.form == Form::Opaque,
    }))
}

/// Go's rules: HTTP/1.0 knows no encodings; `chunked`, once, is the only one; lengths must make sense even when they
/// are overruled, and an overruled length is forgotten.
fn settle(framed: &Framed<'_>, is_10: bool, bad_trailer: bool, headers: &mut Headers) -> Result<Framing, Refusal> {
    let chunked = match framed.chunked {
        _ if is_10 => false,
        None => false,
        Some(true) => true,
        Some(false) => return Err(Refusal::TransferEncoding),
    };
    let length = framed.lengths.settle().map_err(|()| Refusal::Malformed)?;
    if !chunked {
        return Ok(Framing::of_length(length.unwrap_or(0)));
    }
    if bad_trailer {
        return Err(Refusal::Malformed);
    }
    if length.is_some() {
        headers.remove("content-length");
    }
    Ok(Framing::Chunked)
}

/// `100-continue` among what is expected.
pub(crate) fn has_continue(value: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"100-continue"))
}
