//! Request targets: origin, absolute, authority and asterisk form; paths escaped as Go writes them.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use trafficcop_exchange::Target;

use crate::refusal::Refusal;

/// What kind of target it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It has a path.
    Path,
    /// The target of CONNECT.
    Authority,
    /// A URI without a path, such as `mailto:x`.
    Opaque,
}

pub(super) struct ReadTarget {
    pub(super) target: Target,
    /// The host that an absolute target names.
    pub(super) host: Option<Bytes>,
    pub(super) form: Form,
}

impl ReadTarget {
    fn path(target: Target) -> Self {
        Self { target, host: None, form: Form::Path }
    }
}

/// Reads the target that lies at `range` of the head.
pub(super) fn read(head: &Bytes, range: Range<usize>, is_connect: bool) -> Result<ReadTarget, Refusal> {
    let text = &head[range.clone()];
    match text.first() {
        Some(b'/') => path_and_query(&head.slice(range)).map(ReadTarget::path),
        _ if is_connect => {
            if !is_authority(text) {
                return Err(Refusal::Malformed);
            }
            let host = Some(head.slice(range));
            Ok(ReadTarget { target: Target::parse(Bytes::from_static(b"/")), host, form: Form::Authority })
        }
        Some(b'*') if text.len() == 1 => Ok(ReadTarget::path(Target::parse(head.slice(range)))),
        _ => absolute(&head.slice(range)),
    }
}

fn absolute(text: &Bytes) -> Result<ReadTarget, Refusal> {
    let colon = scheme_length(text).ok_or(Refusal::Malformed)?;
    let rest = text.slice(colon + 1..);
    if !rest.starts_with(b"/") {
        return Ok(ReadTarget { target: Target::parse(Bytes::from_static(b"/")), host: None, form: Form::Opaque });
    }
    let Some(after) = rest.strip_prefix(b"//") else {
        return path_and_query(&rest).map(ReadTarget::path);
    };
    let end = after.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(after.len());
    let (authority, rest) = (rest.slice(2..2 + end), rest.slice(2 + end..));
    let host = match authority.iter().rposition(|byte| *byte == b'@') {
        Some(at) if authority[..at].iter().all(|byte| is_userinfo(*byte)) => authority.slice(at + 1..),
        Some(_) => return Err(Refusal::Malformed),
        None => authority,
    };
    if !is_authority(&host) {
        return Err(Refusal::Malformed);
    }
    let target = if rest.starts_with(b"/") {
        path_and_query(&rest)?
    } else {
        let mut target = Target::parse(Bytes::from_static(b"/"));
        if !rest.is_empty() {
            target.set_query(Some(rest.slice(1..)));
        }
        target
    };
    Ok(ReadTarget { target, host: Some(host).filter(|host| !host.is_empty()), form: Form::Path })
}

/// The length of `scheme` in `scheme:…`.
fn scheme_length(text: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', text)?;
    let scheme = &text[..colon];
    let is_scheme = scheme.first()?.is_ascii_alphabetic()
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    is_scheme.then_some(colon)
}

fn path_and_query(text: &Bytes) -> Result<Target, Refusal> {
    let mut end = text.len();
    let (mut odd, mut percent) = (false, false);
    for (index, byte) in text.iter().enumerate() {
        match PATH[*byte as usize] {
            PLAIN => {}
            PERCENT => percent = true,
            QUESTION => {
                end = index;
                break;
            }
            _ => odd = true,
        }
    }
    let path = text.slice(..end);
    if percent && !has_whole_escapes(&path) {
        return Err(Refusal::Malformed);
    }
    let path = if odd { Bytes::from(escape_again(&path)) } else { path };
    let mut target = Target::parse(path);
    if end < text.len() {
        target.set_query(Some(text.slice(end + 1..)));
    }
    Ok(target)
}

const PLAIN: u8 = 0;
const PERCENT: u8 = 1;
const QUESTION: u8 = 2;
const ODD: u8 = 3;

/// What Go leaves as it is in a path. `#` passes too: whether it is refused is not the engine's business.
static PATH: [u8; 256] = {
    let mut table = [ODD; 256];
    let mut byte = 0;
    while byte < 128 {
        let plain = (byte as u8).is_ascii_alphanumeric()
            || matches!(
                byte as u8,
                b'-' | b'_'
                    | b'.'
                    | b'~'
                    | b'$'
                    | b'&'
                    | b'+'
                    | b','
                    | b'/'
                    | b':'
                    | b';'
                    | b'='
                    | b'@'
                    | b'!'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'['
                    | b']'
                    | b'#'
            );
        if plain {
            table[byte] = PLAIN;
        }
        byte += 1;
    }
    table[b'%' as usize] = PERCENT;
    table[b'?' as usize] = QUESTION;
    table
};

fn has_whole_escapes(path: &[u8]) -> bool {
    memchr::memchr_iter(b'%', path)
        .all(|at| path.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// Go's `EscapedPath` for a path that holds a character it would have escaped: everything is decoded and escaped anew.
fn escape_again(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 16);
    let mut at = 0;
    while at < path.len() {
        let (byte, raw) = match path[at] {
            b'%' => {
                let digit = |index: usize| (path[index] as char).to_digit(16).unwrap_or(0) as u8;
                let byte = digit(at + 1) << 4 | digit(at + 2);
                at += 3;
                (byte, false)
            }
            byte => {
                at += 1;
                (byte, true)
            }
        };
        let is_kept = PATH[byte as usize] == PLAIN && !matches!(byte, b'[' | b']' | b'!' | b'\'' | b'(' | b')' | b'*');
        if if byte == b'#' { raw } else { is_kept } {
            out.push(byte);
        } else {
            push_escape(&mut out, byte);
        }
    }
    out
}

/// A target that is no UTF-8, with the bytes that make it so escaped: behind us, targets are text.
pub(super) fn as_text(target: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(target).is_ok() {
        return target.into();
    }
    let mut escaped = Vec::with_capacity(target.len() + 16);
    for byte in target {
        if byte.is_ascii() { escaped.push(*byte) } else { push_escape(&mut escaped, *byte) }
    }
    escaped.into()
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(&[b'%', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]);
}

/// A Host header's characters, as Go takes them. Nothing at all is fine too.
pub(super) fn is_host(text: &[u8]) -> bool {
    text.iter().all(|byte| HOST[*byte as usize])
}

static HOST: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!$%&'()*+,-.:;=[]_~";
    let mut index = 0;
    while index < others.len() {
        table[others[index] as usize] = true;
        index += 1;
    }
    table
};

/// `host`, `host:port`, `[address]:port`.
fn is_authority(text: &[u8]) -> bool {
    if !is_host(text) || text.contains(&b'%') {
        return false;
    }
    let port = if text.starts_with(b"[") {
        match text.iter().rposition(|byte| *byte == b']') {
            Some(end) => &text[end + 1..],
            None => return false,
        }
    } else {
        text.iter().rposition(|byte| *byte == b':').map_or(&[][..], |colon| &text[colon..])
    };
    match port.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    }
}

fn is_userinfo(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)
}
