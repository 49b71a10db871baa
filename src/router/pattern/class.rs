//! Sets of letters: `[…]`, `\d`, `\pL`.

use super::PatternError;
use super::translate::{Reader, push_literal};

const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// A set in brackets. Nesting and set operations, which the engine knows and Go does not, are written as plain letters.
pub(super) fn bracketed(reader: &mut Reader<'_>, out: &mut String) -> Result<(), PatternError> {
    let start = reader.at;
    reader.next();
    out.push('[');
    if reader.peek() == Some('^') {
        reader.next();
        out.push('^');
    }
    let first = reader.at;
    loop {
        let here = reader.at;
        match reader.peek() {
            None => return Err(reader.error(start, "`]` is missing")),
            Some(']') if here != first => {
                reader.next();
                out.push(']');
                return Ok(());
            }
            Some('[') if posix(reader, out)? => {}
            Some('\\') if named(reader, out)? => {}
            Some(_) => {
                let low = letter(reader)?;
                let rest = reader.rest();
                push_literal(low, out);
                if rest.starts_with('-') && rest.len() > 1 && !rest.starts_with("-]") {
                    reader.next();
                    let high = letter(reader)?;
                    if high < low {
                        return Err(reader.error(here, "the range runs backwards"));
                    }
                    out.push('-');
                    push_literal(high, out);
                }
            }
        }
    }
}

fn letter(reader: &mut Reader<'_>) -> Result<char, PatternError> {
    match reader.peek() {
        Some('\\') => reader.escaped(),
        _ => reader.next().ok_or_else(|| reader.error(reader.at, "`]` is missing")),
    }
}

/// `[:name:]` or `[:^name:]` within brackets.
fn posix(reader: &mut Reader<'_>, out: &mut String) -> Result<bool, PatternError> {
    let Some(inner) = reader.rest().strip_prefix("[:") else { return Ok(false) };
    let Some(end) = inner.find(":]") else { return Ok(false) };
    let name = &inner[..end];
    if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(reader.error(reader.at, &format!("there is no set `[:{name}:]`")));
    }
    let length = 2 + end + 2;
    out.push_str(&reader.rest()[..length]);
    reader.at += length;
    Ok(true)
}

/// `\d`, `\s`, `\w`, their opposites, and Unicode sets. Says whether there was one.
pub(super) fn named(reader: &mut Reader<'_>, out: &mut String) -> Result<bool, PatternError> {
    // All of these are ASCII in Go.
    let set = match reader.rest()[1..].chars().next() {
        Some('d') => "[0-9]",
        Some('D') => "[^0-9]",
        Some('s') => r"[\t\n\x0C\r ]",
        Some('S') => r"[^\t\n\x0C\r ]",
        Some('w') => "[0-9A-Za-z_]",
        Some('W') => "[^0-9A-Za-z_]",
        Some('p' | 'P') => return unicode(reader, out).map(|()| true),
        _ => return Ok(false),
    };
    out.push_str(set);
    reader.at += 2;
    Ok(true)
}

/// `\pL`, `\p{Greek}`, `\p{^Greek}`, `\PL`.
fn unicode(reader: &mut Reader<'_>, out: &mut String) -> Result<(), PatternError> {
    let start = reader.at;
    let is_opposite = reader.rest().starts_with("\\P");
    reader.at += 2;
    let (name, length) = match (reader.rest().strip_prefix('{'), reader.peek()) {
        (Some(inner), _) => inner.find('}').map(|end| (&inner[..end], end + 2)),
        (None, letter) => letter.map(|letter| (&reader.rest()[..letter.len_utf8()], letter.len_utf8())),
    }
    .ok_or_else(|| reader.error(start, "the name of a set is missing"))?;
    let plain = name.strip_prefix('^');
    let name = plain.unwrap_or(name);
    // Names with signs in them are queries that only the engine knows.
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(reader.error(start, "there is no such set of letters"));
    }
    out.push_str(if is_opposite == plain.is_some() { r"\p{" } else { r"\P{" });
    out.push_str(name);
    out.push('}');
    reader.at += length;
    Ok(())
}
