//! Answers' heads.

use bytes::Bytes;
use trafficcop_exchange::{Headers, Method, StatusCode};

use super::{ConnectionTokens, FewLines, Framed, Known, Limits, few_lines, lenient, range_in};
use crate::framing::Framing;

/// The head of an answer.
#[derive(Debug)]
pub struct ResponseHead {
    pub status: StatusCode,
    pub headers: Headers,
    /// Length of the head in bytes, final empty line included.
    pub len: usize,
    pub framing: Framing,
    /// The connection can carry another request after this answer.
    pub keeps_alive: bool,
}

/// Reads an answer's head from the start of `buf`; `method` is that of the request. `None`: it is not whole yet. The
/// error says what is wrong.
pub fn parse_response(buf: &[u8], method: &Method, limits: Limits) -> Result<Option<ResponseHead>, &'static str> {
    match parse_strict(buf, method, limits) {
        Ok(None) if limits.is_too_long(buf.len()) => Err(TOO_LARGE),
        Err(SYNTAX) => {
            let Some(rewritten) = lenient::response(buf)? else {
                return if limits.is_too_long(buf.len()) { Err(TOO_LARGE) } else { Ok(None) };
            };
            let head = parse_strict(&rewritten.head, method, limits)?.ok_or(SYNTAX)?;
            Ok(Some(ResponseHead { len: rewritten.len, ..head }))
        }
        parsed => parsed,
    }
}

const TOO_LARGE: &str = "the head is too large";
const SYNTAX: &str = "the head is not HTTP";

fn parse_strict(buf: &[u8], method: &Method, limits: Limits) -> Result<Option<ResponseHead>, &'static str> {
    if matches!(buf.first(), Some(b'\r' | b'\n')) {
        return Err(SYNTAX);
    }
    let mut few: FewLines = few_lines();
    let mut read = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut read, buf, &mut few) {
        Ok(httparse::Status::Complete(len)) => return build(buf, len, &read, method, limits).map(Some),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {}
        Err(_) => return Err(SYNTAX),
    }
    let mut many = super::many_lines(buf, limits);
    let mut read = httparse::Response::new(&mut many);
    match read.parse(buf) {
        Ok(httparse::Status::Complete(len)) => build(buf, len, &read, method, limits).map(Some),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(TOO_LARGE),
        Err(_) => Err(SYNTAX),
    }
}

fn build(
    buf: &[u8],
    len: usize,
    read: &httparse::Response<'_, '_>,
    method: &Method,
    limits: Limits,
) -> Result<ResponseHead, &'static str> {
    if limits.is_too_long(len) {
        return Err(TOO_LARGE);
    }
    let is_10 = read.version == Some(0);
    let status = StatusCode::from_u16(read.code.unwrap_or(0)).map_err(|_| "the status is not one")?;
    let head = Bytes::copy_from_slice(&buf[..len]);
    let mut headers = Headers::over_with_capacity(head, read.headers.len() + 4);
    let mut framed = Framed::default();
    let mut tokens = ConnectionTokens::default();
    for line in read.headers.iter() {
        let (name, value) = (line.name.as_bytes(), line.value);
        match Known::of(name) {
            Known::TransferEncoding => {
                framed.transfer_encoding(value);
                continue;
            }
            Known::ContentLength => framed.lengths.read(value),
            Known::Connection => tokens.read(value),
            _ => {}
        }
        headers.push_read(range_in(buf, name), range_in(buf, value));
    }
    let framing = settle(&framed, is_10, status, method, &mut headers)?;
    let asked_to_close = if is_10 { !tokens.keep_alive || tokens.close } else { tokens.close };
    Ok(ResponseHead { status, headers, len, framing, keeps_alive: !asked_to_close && framing != Framing::UntilClose })
}

fn settle(
    framed: &Framed<'_>,
    is_10: bool,
    status: StatusCode,
    method: &Method,
    headers: &mut Headers,
) -> Result<Framing, &'static str> {
    let chunked = match framed.chunked {
        _ if is_10 => false,
        None => false,
        Some(true) => true,
        Some(false) => return Err("unsupported transfer encoding"),
    };
    let length = framed.lengths.settle().map_err(|()| "the Content-Length is not one")?;
    if chunked && length.is_some() {
        headers.remove("content-length");
    }
    let has_none = method == Method::HEAD
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED;
    Ok(match length {
        _ if has_none => Framing::Empty,
        _ if chunked => Framing::Chunked,
        Some(length) => Framing::of_length(length),
        None => Framing::UntilClose,
    })
}
