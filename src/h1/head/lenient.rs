//! What Go reads and `httparse` does not, rewritten to what both read: folded lines, other minor versions, targets that
//! are no UTF-8, and, in answers, names with blanks (left out).

use super::target;
use crate::refusal::Refusal;

/// A head in standard form.
pub(super) struct Rewritten {
    pub(super) head: Vec<u8>,
    /// Length of the original.
    pub(super) len: usize,
    /// Neither HTTP/1.x: to be refused when nothing worse is found.
    pub(super) is_other_version: bool,
    /// A name had a blank in it; the line was left out.
    pub(super) has_blank_in_name: bool,
}

pub(super) fn request(buf: &[u8]) -> Result<Option<Rewritten>, Refusal> {
    let Some((line, rest)) = cut_line(buf) else { return Ok(None) };
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Err(Refusal::Malformed);
    };
    let (major, minor) = version_of(version).ok_or(Refusal::Malformed)?;
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) || target.is_empty() {
        return Err(Refusal::Malformed);
    }
    let minor = u8::from((major, minor) != (1, 0));
    let target = target::as_text(target);
    let head = [method, b" ", &target, b" HTTP/1.", &[b'0' + minor], b"\r\n"].concat();
    let rewritten =
        Rewritten { head, len: line_length(buf, rest), is_other_version: major != 1, has_blank_in_name: false };
    lines(rewritten, rest).map_err(|Broken| Refusal::Malformed)
}

pub(super) fn response(buf: &[u8]) -> Result<Option<Rewritten>, &'static str> {
    const FAULT: &str = "the head is not HTTP";
    let Some((line, rest)) = cut_line(buf) else { return Ok(None) };
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let (major, minor) = words.next().and_then(version_of).ok_or(FAULT)?;
    let status = words.next().unwrap_or_default();
    let status = trim(status);
    let status = status.split(|byte| *byte == b' ').next().unwrap_or_default();
    if status.len() != 3 || !status.iter().all(u8::is_ascii_digit) {
        return Err("the status is not one");
    }
    let minor = u8::from((major, minor) != (1, 0));
    let head = [&b"HTTP/1."[..], &[b'0' + minor], b" ", status, b" \r\n"].concat();
    let rewritten =
        Rewritten { head, len: line_length(buf, rest), is_other_version: major != 1, has_blank_in_name: false };
    lines(rewritten, rest).map_err(|Broken| FAULT)
}

/// A header line that is none.
struct Broken;

/// Adds the header lines. `None`: the head is not whole yet.
fn lines(mut rewritten: Rewritten, mut rest: &[u8]) -> Result<Option<Rewritten>, Broken> {
    let start = rest.len();
    if matches!(rest.first(), Some(b' ' | b'\t')) {
        return Err(Broken);
    }
    loop {
        let Some((line, after)) = cut_line(rest) else { return Ok(None) };
        rest = after;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Broken)?;
        let name = &line[..colon];
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte) || *byte == b' ') {
            return Err(Broken);
        }
        let mut value = trim(&line[colon + 1..]).to_vec();
        // What begins with a blank goes on with the line before.
        loop {
            match rest.first() {
                Some(b' ' | b'\t') => {}
                Some(_) => break,
                None => return Ok(None),
            }
            let Some((more, after)) = cut_line(rest) else { return Ok(None) };
            rest = after;
            value.push(b' ');
            value.extend_from_slice(trim(more));
        }
        if !value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)) {
            return Err(Broken);
        }
        if name.contains(&b' ') {
            rewritten.has_blank_in_name = true;
            continue;
        }
        rewritten.head.extend_from_slice(name);
        rewritten.head.extend_from_slice(b": ");
        rewritten.head.extend_from_slice(trim(&value));
        rewritten.head.extend_from_slice(b"\r\n");
    }
    rewritten.head.extend_from_slice(b"\r\n");
    rewritten.len += start - rest.len();
    Ok(Some(rewritten))
}

/// Without the blanks around it; a CR is no blank.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The first line without its end, and what follows.
fn cut_line(buf: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', buf)?;
    let line = &buf[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), &buf[end + 1..]))
}

fn line_length(buf: &[u8], rest: &[u8]) -> usize {
    buf.len() - rest.len()
}

/// `HTTP/d.d`, exactly.
fn version_of(text: &[u8]) -> Option<(u8, u8)> {
    match text.strip_prefix(b"HTTP/")? {
        [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => Some((major - b'0', minor - b'0')),
        _ => None,
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
