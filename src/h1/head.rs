//! Message heads: bytes to [`Request`](trafficcop_exchange::Request) and answers' heads. Pure: no I/O, no clock.
//!
//! `httparse` reads what is well-formed. What it refuses is looked at again by `lenient`, since Go, and thus Traefik,
//! takes a little more (folded lines, `HTTP/1.2`) and names the faults in its own order.

mod lenient;
mod request;
mod response;
mod target;
#[cfg(test)]
mod tests;

use std::mem::MaybeUninit;

pub(crate) use request::has_continue;
pub use request::{RequestHead, parse_request};
pub use response::{ResponseHead, parse_response};

use crate::framing::Lengths;

/// Bounds on a head. Beyond `bytes` come 4 KiB of grace, as Go's reader has them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub bytes: usize,
    pub lines: usize,
}

impl Limits {
    fn is_too_long(self, len: usize) -> bool {
        len > self.bytes.saturating_add(4096)
    }
}

/// Lines that fit on the stack; heads with more of them cost an allocation.
const FEW_LINES: usize = 64;

type FewLines<'b> = [MaybeUninit<httparse::Header<'b>>; FEW_LINES];

fn few_lines<'b>() -> FewLines<'b> {
    [const { MaybeUninit::uninit() }; FEW_LINES]
}

/// Room for every line there is, as far as the limit allows.
fn many_lines(buf: &[u8], limits: Limits) -> Vec<httparse::Header<'_>> {
    let lines = memchr::memchr_iter(b'\n', buf).take(limits.lines).count();
    vec![httparse::EMPTY_HEADER; lines]
}

/// Where `part` lies within `whole`, of which it is a slice.
fn range_in(whole: &[u8], part: &[u8]) -> std::ops::Range<usize> {
    if part.is_empty() {
        return 0..0;
    }
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

/// What the `Connection` lines of a head say.
#[derive(Clone, Copy, Debug, Default)]
struct ConnectionTokens {
    close: bool,
    keep_alive: bool,
    upgrade: bool,
}

impl ConnectionTokens {
    fn read(&mut self, value: &[u8]) {
        for token in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.close |= token.eq_ignore_ascii_case(b"close");
            self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade |= token.eq_ignore_ascii_case(b"upgrade");
        }
    }
}

/// The lines that an engine must understand; the others pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Host,
    Connection,
    ContentLength,
    TransferEncoding,
    Expect,
    Upgrade,
    Trailer,
    Other,
}

impl Known {
    fn of(name: &[u8]) -> Self {
        let (known, spelling): (Self, &[u8]) = match name.len() {
            4 => (Self::Host, b"host"),
            6 => (Self::Expect, b"expect"),
            7 if matches!(name[0], b'U' | b'u') => (Self::Upgrade, b"upgrade"),
            7 => (Self::Trailer, b"trailer"),
            10 => (Self::Connection, b"connection"),
            14 => (Self::ContentLength, b"content-length"),
            17 => (Self::TransferEncoding, b"transfer-encoding"),
            _ => return Self::Other,
        };
        if name.eq_ignore_ascii_case(spelling) { known } else { Self::Other }
    }
}

/// Fields that would change framing or routing if they came as trailers; Go refuses to have them announced.
fn announces_forbidden_trailer(value: &[u8]) -> bool {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .any(|name| matches!(Known::of(name), Known::ContentLength | Known::TransferEncoding | Known::Trailer))
}

/// Gathers what the framing lines of a head say, whatever their order.
#[derive(Default)]
struct Framed<'b> {
    lengths: Lengths<'b>,
    /// `Transfer-Encoding` values: none, exactly `chunked`, or something else.
    chunked: Option<bool>,
}

impl<'b> Framed<'b> {
    fn transfer_encoding(&mut self, value: &'b [u8]) {
        let understood = self.chunked.is_none() && value.eq_ignore_ascii_case(b"chunked");
        self.chunked = Some(understood);
    }
}
