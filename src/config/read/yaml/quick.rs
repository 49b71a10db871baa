//! The YAML that nearly all configuration is written in, read without the library: block maps and lists, flow
//! collections that end on their line, scalars on one line, comments, ASCII.
//!
//! Large files change often, and reading them is the largest part of a reload; this takes a tenth of the library's time.
//! What must hold: it reads a document exactly as the library does, places included, or not at all. Whatever is not
//! plainly one of the forms above, errors too, is [`Unusual`] and left to the library.

use std::collections::HashSet;
use std::sync::Arc;

use serde_yaml::granit_parser::ScalarStyle;

use super::scalar;
use crate::read::MAX_NODES;
use crate::{Node, Origin, Scalar, Value};

/// Nesting that is read here; more is unusual.
const DEEPEST: usize = 32;
/// The longest key that is read here. To YAML a key of more than 1024 characters is none.
const LONGEST_KEY: usize = 256;

/// Something that the library shall look at.
pub(super) struct Unusual;

type Result<T> = std::result::Result<T, Unusual>;

/// Reads the document, if it is a map in plain YAML.
pub(super) fn read(text: &str, file: &str) -> Result<Node> {
    if !text.bytes().all(|byte| byte == b'\n' || (b' '..0x7f).contains(&byte)) {
        return Err(Unusual);
    }
    let text = text.strip_prefix("---\n").map_or((text, 1), |rest| (rest, 2));
    let mut reader = Reader { text: text.0, at: 0, line: text.1, line_start: 0, file: file.into(), nodes: 0, depth: 0 };
    let indent = reader.next_line()?.ok_or(Unusual)?;
    let node = reader.map(indent)?;
    if reader.at < reader.text.len() { Err(Unusual) } else { Ok(node) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    line_start: usize,
    file: Arc<str>,
    nodes: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Blanks, and whatever ends a line or the text.
    fn is_blank(byte: Option<u8>) -> bool {
        matches!(byte, None | Some(b' ' | b'\n'))
    }

    fn column(&self) -> usize {
        self.at - self.line_start
    }

    fn place(&self) -> Origin {
        Origin::File { file: Arc::clone(&self.file), line: self.line, column: self.column() as u32 + 1 }
    }

    fn node(&mut self, value: Value, at: Origin) -> Result<Node> {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(Unusual) } else { Ok(Node::new(value, at)) }
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(Unusual) } else { Ok(()) }
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().iter().take_while(|byte| **byte == b' ').count();
    }

    /// From the beginning of a line to the next that says something; its indentation. None: there is none.
    fn next_line(&mut self) -> Result<Option<usize>> {
        loop {
            self.line_start = self.at;
            self.skip_blanks();
            match self.peek() {
                None => return Ok(None),
                Some(b'\n') => self.end_line(),
                Some(b'#') => self.skip_comment(),
                Some(b'-' | b'.') if self.column() == 0 && matches!(self.rest().get(..3), Some(b"---" | b"...")) => {
                    return Err(Unusual);
                }
                Some(_) => return Ok(Some(self.column())),
            }
        }
    }

    fn end_line(&mut self) {
        self.at += 1;
        self.line += 1;
    }

    fn skip_comment(&mut self) {
        match memchr::memchr(b'\n', self.rest()) {
            Some(end) => {
                self.at += end;
                self.end_line();
            }
            None => self.at = self.text.len(),
        }
    }

    /// Whether nothing but a comment follows on this line.
    fn is_line_over(&self) -> bool {
        let blanks = self.rest().iter().take_while(|byte| **byte == b' ').count();
        match self.rest().get(blanks) {
            None | Some(b'\n') => true,
            Some(byte) => *byte == b'#' && blanks > 0,
        }
    }

    /// Nothing but a comment may follow on this line. Goes on to the next that says something.
    fn finish_line(&mut self) -> Result<Option<usize>> {
        let before = self.at;
        self.skip_blanks();
        match self.peek() {
            None => return Ok(None),
            Some(b'\n') => self.end_line(),
            Some(b'#') if self.at > before => self.skip_comment(),
            Some(_) => return Err(Unusual),
        }
        self.next_line()
    }

    /// As [`Reader::finish_line`], behind a value that could go on in a line that is further in than `indent`.
    fn finish_value(&mut self, indent: usize) -> Result<()> {
        match self.finish_line()? {
            Some(next) if next > indent => Err(Unusual),
            _ => Ok(()),
        }
    }

    /// The indentation of the line that we stand at the beginning of. None: the text is over.
    fn here(&self) -> Option<usize> {
        (self.at < self.text.len()).then(|| self.column())
    }

    fn is_at_dash(&self) -> bool {
        self.peek() == Some(b'-') && Self::is_blank(self.rest().get(1).copied())
    }

    /// A map whose first key we stand at; its keys are so far in.
    fn map(&mut self, indent: usize) -> Result<Node> {
        self.deeper()?;
        let at = self.place();
        let mut entries = Entries::default();
        loop {
            let (key, key_at) = self.key()?;
            entries.check(key)?;
            self.nodes += 1;
            let value = self.value(indent)?;
            entries.list.push((key.into(), Node { key_at, ..value }));
            match self.here() {
                Some(next) if next == indent && !self.is_at_dash() => {}
                Some(next) if next >= indent => return Err(Unusual),
                _ => break,
            }
        }
        self.depth -= 1;
        self.node(Value::Map(entries.list), at)
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(&'t str, Origin)> {
        let at = self.place();
        let key = self.key_text()?;
        if self.peek() != Some(b':') || !Self::is_blank(self.rest().get(1).copied()) {
            return Err(Unusual);
        }
        self.at += 1;
        Ok((key, at))
    }

    fn key_text(&mut self) -> Result<&'t str> {
        let (text, is_plain) = match self.peek() {
            Some(b'\'' | b'"') => (self.quoted()?.0, false),
            Some(first) if first.is_ascii_alphanumeric() || first == b'_' => {
                let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-./$@".contains(byte);
                let len = self.rest().iter().take_while(is_part).count();
                self.at += len;
                (&self.text[self.at - len..self.at], true)
            }
            _ => return Err(Unusual),
        };
        let is_boolean = is_plain && (text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"));
        if is_boolean || text.len() > LONGEST_KEY || text.contains('\'') { Err(Unusual) } else { Ok(text) }
    }

    /// The value of a key whose map is so far in. Ends at the beginning of the next line.
    fn value(&mut self, indent: usize) -> Result<Node> {
        if !self.is_line_over() {
            self.skip_blanks();
            return self.inline(indent);
        }
        match self.finish_line()? {
            Some(next) if self.is_at_dash() && next >= indent => self.list(next, next == indent),
            Some(next) if next > indent => self.map(next),
            _ => Err(Unusual),
        }
    }

    /// A value that ends on this line.
    fn inline(&mut self, indent: usize) -> Result<Node> {
        let node = match self.peek() {
            Some(b'{' | b'[') => self.flow()?,
            Some(b'\'' | b'"') => self.quoted_node()?,
            _ => self.plain(false)?,
        };
        self.finish_value(indent)?;
        Ok(node)
    }

    /// A list whose first dash we stand at. One that is no further in than its key has, to the library, its place at
    /// its first item.
    fn list(&mut self, indent: usize, is_level: bool) -> Result<Node> {
        self.deeper()?;
        let mut at = self.place();
        let mut items = Vec::new();
        loop {
            self.at += 1;
            let is_below = self.is_line_over();
            if is_below {
                match self.finish_line()? {
                    Some(next) if next > indent && !self.is_at_dash() && !is_level => {}
                    _ => return Err(Unusual),
                }
            } else {
                self.skip_blanks();
            }
            if is_level && items.is_empty() {
                at = self.place();
            }
            let item = if is_below || self.begins_map() { self.map(self.column())? } else { self.inline(indent)? };
            items.push(item);
            match self.here() {
                Some(next) if next == indent && self.is_at_dash() => {}
                Some(next) if next > indent => return Err(Unusual),
                _ => break,
            }
        }
        self.depth -= 1;
        self.node(Value::List(items), at)
    }

    /// Whether a key and its colon follow.
    fn begins_map(&mut self) -> bool {
        let start = self.at;
        let is_key = self.key().is_ok();
        self.at = start;
        is_key
    }

    fn flow(&mut self) -> Result<Node> {
        self.deeper()?;
        let at = self.place();
        let is_map = self.peek() == Some(b'{');
        let close = if is_map { b'}' } else { b']' };
        let (mut entries, mut items) = (Entries::default(), Vec::new());
        self.at += 1;
        self.skip_blanks();
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                let key = if is_map { Some(self.key()?) } else { None };
                self.skip_blanks();
                let value = match self.peek() {
                    Some(b'{' | b'[') => self.flow()?,
                    Some(b'\'' | b'"') => self.quoted_node()?,
                    _ => self.plain(true)?,
                };
                match key {
                    Some((key, key_at)) => {
                        entries.check(key)?;
                        self.nodes += 1;
                        entries.list.push((key.into(), Node { key_at, ..value }));
                    }
                    None => items.push(value),
                }
                self.skip_blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(byte) if byte == close => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(Unusual),
                }
                self.skip_blanks();
            }
        }
        self.depth -= 1;
        self.node(if is_map { Value::Map(entries.list) } else { Value::List(items) }, at)
    }

    fn quoted_node(&mut self) -> Result<Node> {
        let at = self.place();
        let (text, is_doubled) = self.quoted()?;
        let text: Arc<str> = if is_doubled { text.replace("''", "'").into() } else { text.into() };
        self.node(Value::Scalar(Scalar::Text(text)), at)
    }

    /// What stands between quotes, and whether quotes in it are doubled.
    fn quoted(&mut self) -> Result<(&'t str, bool)> {
        let quote = self.peek().ok_or(Unusual)?;
        let start = self.at + 1;
        let mut is_doubled = false;
        self.at = start;
        loop {
            match self.peek() {
                Some(byte) if byte == quote && quote == b'\'' && self.rest().get(1) == Some(&quote) => {
                    is_doubled = true;
                    self.at += 2;
                }
                Some(byte) if byte == quote => break,
                None | Some(b'\n') => return Err(Unusual),
                Some(b'\\') if quote == b'"' => return Err(Unusual),
                Some(_) => self.at += 1,
            }
        }
        let text = &self.text[start..self.at];
        self.at += 1;
        Ok((text, is_doubled))
    }

    /// A scalar without quotes.
    fn plain(&mut self, in_flow: bool) -> Result<Node> {
        let at = self.place();
        let rest = self.rest();
        let begins_well = match rest {
            [first, ..] if first.is_ascii_alphanumeric() || b"_./$~^+(".contains(first) => true,
            [b'-', second, ..] => second.is_ascii_alphanumeric(),
            _ => false,
        };
        if !begins_well {
            return Err(Unusual);
        }
        let mut len = 0;
        while let Some(byte) = rest.get(len) {
            let next = rest.get(len + 1).copied();
            match byte {
                b'\n' => break,
                b'#' if rest[len - 1] == b' ' => break,
                b',' | b'}' | b']' if in_flow => break,
                b'{' | b'[' if in_flow => return Err(Unusual),
                b':' if Self::is_blank(next) => return Err(Unusual),
                b':' if in_flow && matches!(next, Some(b',' | b'{' | b'}' | b'[' | b']')) => return Err(Unusual),
                _ => len += 1,
            }
        }
        let text = self.text[self.at..self.at + len].trim_end_matches(' ');
        self.at += text.len();
        self.node(scalar::resolve(text, ScalarStyle::Plain, None), at)
    }
}

/// The entries of a map.
#[derive(Default)]
struct Entries<'t> {
    list: Vec<(Arc<str>, Node)>,
    /// The first few names, which are looked through, and the others.
    first: Vec<&'t str>,
    names: HashSet<&'t str>,
}

impl<'t> Entries<'t> {
    /// A name that is there already is an error, and thus the library's.
    fn check(&mut self, name: &'t str) -> Result<()> {
        const FEW: usize = 16;
        let is_new = if self.first.len() < FEW {
            let is_new = !self.first.contains(&name);
            self.first.push(name);
            is_new
        } else {
            self.names.insert(name) && !self.first.contains(&name)
        };
        if is_new { Ok(()) } else { Err(Unusual) }
    }
}

#[cfg(test)]
mod tests;
