//! How a trace's identity travels in headers: W3C's `traceparent`, B3 in one header or several, and Jaeger's.
//!
//! Baggage travels in headers of its own, which pass as they are.

use super::ids::{SpanId, TraceId, write_hexadecimal};
use crate::{Headers, KnownName};

/// Bytes of `tracestate` that are passed on, as the standard asks for at least.
const LONGEST_STATE: usize = 512;

/// A way of writing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    TraceContext,
    B3,
    B3Multi,
    Jaeger,
}

/// What a client told of the trace that its request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    pub trace: TraceId,
    pub span: SpanId,
    pub is_sampled: bool,
    pub state: String,
}

impl Format {
    /// By the word that `OTEL_PROPAGATORS` has for it.
    pub fn named(word: &str) -> Option<Self> {
        match word.trim() {
            "tracecontext" => Some(Self::TraceContext),
            "b3" => Some(Self::B3),
            "b3multi" => Some(Self::B3Multi),
            "jaeger" => Some(Self::Jaeger),
            _ => None,
        }
    }

    /// What the headers tell in this format.
    pub fn read(self, headers: &Headers) -> Option<Remote> {
        match self {
            Self::TraceContext => trace_context(headers),
            Self::B3 => single(headers.get_str("b3")?),
            Self::B3Multi => {
                let is_sampled = headers.get_str("x-b3-flags") == Some("1")
                    || sampled(headers.get_str("x-b3-sampled").unwrap_or(""));
                remote(headers.get_str("x-b3-traceid")?, headers.get_str("x-b3-spanid")?, is_sampled)
            }
            Self::Jaeger => {
                let mut parts = headers.get_str("uber-trace-id")?.split(':');
                let (trace, span, _parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
                let flags = u8::from_str_radix(flags, 16).ok()?;
                remote(trace, &format!("{span:0>16}"), flags & 1 == 1)
            }
        }
    }

    /// Tells a server.
    pub fn write(self, headers: &mut Headers, trace: TraceId, span: SpanId, is_sampled: bool, state: &str) {
        let flag = u8::from(is_sampled);
        match self {
            Self::TraceContext => {
                let mut text = *b"00-0123456789abcdef0123456789abcdef-0123456789abcdef-00";
                write_hexadecimal(&mut text[3..35], &trace.0);
                write_hexadecimal(&mut text[36..52], &span.0);
                text[54] += flag;
                headers.set_known(KnownName::TRACEPARENT, &text);
                if state.is_empty() {
                    headers.remove("Tracestate");
                } else {
                    headers.insert("Tracestate", state.to_owned());
                }
            }
            Self::B3 => headers.insert("B3", format!("{trace}-{span}-{flag}")),
            Self::B3Multi => {
                headers.insert("X-B3-Traceid", trace.to_string());
                headers.insert("X-B3-Spanid", span.to_string());
                headers.insert("X-B3-Sampled", flag.to_string());
                headers.remove("X-B3-Parentspanid");
                headers.remove("X-B3-Flags");
            }
            Self::Jaeger => headers.insert("Uber-Trace-Id", format!("{trace}:{span}:0:{flag}")),
        }
    }
}

fn trace_context(headers: &Headers) -> Option<Remote> {
    let mut all = headers.get_all("traceparent");
    let text = std::str::from_utf8(all.next()?).ok()?;
    if all.next().is_some() {
        return None;
    }
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_last = parts.next().is_none();
    let is_known = version.len() == 2 && version != "ff" && (version != "00" || is_last) && flags.len() == 2;
    if !is_known || trace.len() != 32 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let states: Vec<&str> = headers.get_all("tracestate").filter_map(|state| std::str::from_utf8(state).ok()).collect();
    let state = Some(states.join(",")).filter(|state| state.len() <= LONGEST_STATE).unwrap_or_default();
    Some(Remote { state, ..remote(trace, span, flags & 1 == 1)? })
}

fn single(text: &str) -> Option<Remote> {
    let mut parts = text.split('-');
    let (trace, span) = (parts.next()?, parts.next()?);
    remote(trace, span, sampled(parts.next().unwrap_or("")))
}

fn sampled(word: &str) -> bool {
    matches!(word, "1" | "d" | "true")
}

/// Identities that are not nothing. Short ones of traces are filled up.
fn remote(trace: &str, span: &str, is_sampled: bool) -> Option<Remote> {
    let trace = bytes::<16>(&format!("{trace:0>32}"))?;
    let span = bytes::<8>(span)?;
    let is_something = trace != [0; 16] && span != [0; 8];
    let (trace, span) = (TraceId(trace), SpanId(span));
    is_something.then_some(Remote { trace, span, is_sampled, state: String::new() })
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut out = [0; N];
    for (byte, at) in out.iter_mut().zip((0..text.len()).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok().filter(|_| !text[at..at + 2].contains('+'))?;
    }
    Some(out)
}
