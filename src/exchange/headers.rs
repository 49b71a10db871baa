//! [`Headers`]: an ordered list of header lines over the bytes of the head they came with.
//!
//! A head that was read keeps its bytes, its order and its letter case; what is inserted stands beside them. Looking a
//! header up is a scan: heads have a dozen lines, and comparing lengths first settles nearly all of them.

use std::fmt;

use bytes::Bytes;

use crate::{KnownName, Line};

/// Header lines in their order. Names are compared without regard to case and written as they were given.
#[derive(Clone, Default)]
pub struct Headers {
    /// The head that was read; entries point into it.
    head: Bytes,
    /// The texts of lines that were added. Lines that go away leave theirs behind: a message lives shortly.
    own: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    name: Span,
    value: Span,
}

/// Start and length within `head`, or within `own` when the start carries the mark [`OWN`]. Spans instead of `Bytes`
/// keep a line at 16 bytes and its removal free.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    len: u32,
}

const OWN: u32 = 1 << 31;
/// Marks a name of which nothing needs to be checked: that of a [`KnownName`], whose number is the rest of the start, or,
/// with [`OWN`], that of a [`Line`].
const KNOWN: u32 = 1 << 30;

/// A name as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Spelled<'a> {
    pub name: &'a [u8],
    /// Nothing of it needs to be checked or changed: a [`KnownName`], or that of a [`Line`].
    pub is_known: bool,
}

impl Headers {
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list over `head`, to which an engine adds with [`Headers::push_read`].
    pub fn over(head: Bytes) -> Self {
        Self::over_with_capacity(head, 16)
    }

    /// As [`Headers::over`], with room for so many lines.
    pub fn over_with_capacity(head: Bytes, lines: usize) -> Self {
        debug_assert!(head.len() < KNOWN as usize);
        Self { head, own: Vec::new(), entries: Vec::with_capacity(lines) }
    }

    /// Adds the line whose name and value lie at these ranges of the head given to [`Headers::over`].
    pub fn push_read(&mut self, name: std::ops::Range<usize>, value: std::ops::Range<usize>) {
        debug_assert!(name.end <= self.head.len() && value.end <= self.head.len());
        let name = Span { start: name.start as u32, len: name.len() as u32 };
        let value = Span { start: value.start as u32, len: value.len() as u32 };
        self.entries.push(Entry { name, value });
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.entries.iter().find(|entry| self.is_named(entry, name.as_bytes())).map(|entry| self.text(entry.value))
    }

    /// The first value of that name, if it is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.entries
            .iter()
            .filter(move |entry| self.is_named(entry, name.as_bytes()))
            .map(|entry| self.text(entry.value))
    }

    /// The first value of that name; without copying when it came with the head.
    pub fn get_bytes(&self, name: &str) -> Option<Bytes> {
        let Span { start, len } = self.entries.iter().find(|entry| self.is_named(entry, name.as_bytes()))?.value;
        Some(if start & OWN == 0 {
            self.head.slice(start as usize..(start + len) as usize)
        } else {
            Bytes::copy_from_slice(self.text(Span { start, len }))
        })
    }

    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| self.is_named(entry, name.as_bytes()))
    }

    /// Every line, in order: name as written, value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines().map(|(name, value)| (std::str::from_utf8(name).unwrap_or_default(), value))
    }

    /// As [`Headers::iter`], with the names as bytes: what an engine writes.
    pub fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.spelled().map(|(spelled, value)| (spelled.name, value))
    }

    /// As [`Headers::lines`], with what is known of the spelling of names.
    pub fn spelled(&self) -> impl Iterator<Item = (Spelled<'_>, &[u8])> {
        self.entries.iter().map(|entry| {
            let name = name_of(&self.head, &self.own, entry.name);
            (Spelled { name, is_known: entry.name.start & KNOWN != 0 }, self.text(entry.value))
        })
    }

    /// Adds a line after all others.
    pub fn append(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.push(&name.into(), &value.into());
    }

    /// As [`Headers::append`], from borrowed texts.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let entry = self.keep(name, value);
        self.entries.push(entry);
    }

    /// As [`Headers::push`], under a name that is known.
    pub fn push_known(&mut self, name: KnownName, value: &[u8]) {
        let entry = self.keep_known(name, value);
        self.entries.push(entry);
    }

    /// As [`Headers::push`].
    pub fn push_line(&mut self, line: &Line) {
        let entry = self.keep_line(line);
        self.entries.push(entry);
    }

    /// Leaves exactly one line of that name: in the place of the first that was there, else at the end.
    pub fn insert(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.set(&name.into(), &value.into());
    }

    /// As [`Headers::insert`], from borrowed texts.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        let entry = self.keep(name, value);
        self.put(name, entry);
    }

    /// As [`Headers::set`], under a name that is known.
    pub fn set_known(&mut self, name: KnownName, value: &[u8]) {
        let entry = self.keep_known(name, value);
        self.put(name.as_bytes(), entry);
    }

    /// As [`Headers::set`].
    pub fn set_line(&mut self, line: &Line) {
        let entry = self.keep_line(line);
        self.put(line.name(), entry);
    }

    fn put(&mut self, name: &[u8], entry: Entry) {
        match self.entries.iter().position(|entry| self.is_named(entry, name)) {
            Some(first) => {
                self.entries[first] = entry;
                self.remove_from(first + 1, name);
            }
            None => self.entries.push(entry),
        }
    }

    /// Removes every line of that name; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.entries.len();
        self.remove_from(0, name.as_bytes());
        before != self.entries.len()
    }

    /// Keeps the lines for whose name and value `keep` says true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        self.retain_lines(|name, value| keep(std::str::from_utf8(name).unwrap_or_default(), value));
    }

    /// As [`Headers::retain`], with the names as bytes: what every request goes through.
    pub fn retain_lines(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) {
        let (head, own) = (&self.head, &self.own);
        let is_kept = |entry: &Entry| keep(name_of(head, own, entry.name), read(head, own, entry.value));
        self.entries.retain(is_kept);
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.own.clear();
    }

    fn remove_from(&mut self, start: usize, name: &[u8]) {
        let is_named = |entry: &Entry| self.is_named(entry, name);
        if !self.entries.iter().skip(start).any(is_named) {
            return;
        }
        let (head, own) = (&self.head, &self.own);
        let mut index = 0;
        self.entries.retain(|entry| {
            index += 1;
            index <= start || !name_of(head, own, entry.name).eq_ignore_ascii_case(name)
        });
    }

    fn keep(&mut self, name: &[u8], value: &[u8]) -> Entry {
        Entry { name: self.keep_text(name), value: self.keep_text(value) }
    }

    fn keep_known(&mut self, name: KnownName, value: &[u8]) -> Entry {
        let name = Span { start: KNOWN | name.number(), len: name.as_bytes().len() as u32 };
        Entry { name, value: self.keep_text(value) }
    }

    fn keep_line(&mut self, line: &Line) -> Entry {
        let Span { start, len } = self.keep_text(&line.text);
        let (name_len, mark) = (line.value as u32, if line.is_canonical { KNOWN } else { 0 });
        let name = Span { start: start | mark, len: name_len };
        Entry { name, value: Span { start: start + name_len, len: len - name_len } }
    }

    fn keep_text(&mut self, text: &[u8]) -> Span {
        if self.own.capacity() == 0 {
            // A proxy adds several lines; one allocation holds them.
            self.own.reserve(text.len() + 200);
        }
        let start = self.own.len() as u32 | OWN;
        self.own.extend_from_slice(text);
        Span { start, len: text.len() as u32 }
    }

    #[inline]
    fn is_named(&self, entry: &Entry, name: &[u8]) -> bool {
        entry.name.len as usize == name.len() && name_of(&self.head, &self.own, entry.name).eq_ignore_ascii_case(name)
    }

    fn text(&self, span: Span) -> &[u8] {
        read(&self.head, &self.own, span)
    }
}

#[inline]
fn name_of<'a>(head: &'a [u8], own: &'a [u8], span: Span) -> &'a [u8] {
    if span.start & (OWN | KNOWN) == KNOWN { KnownName::text_of(span.start & !KNOWN) } else { read(head, own, span) }
}

#[inline]
fn read<'a>(head: &'a [u8], own: &'a [u8], span: Span) -> &'a [u8] {
    let start = (span.start & !(OWN | KNOWN)) as usize;
    let from = if span.start & OWN == 0 { head } else { own };
    &from[start..start + span.len as usize]
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned())))
            .finish()
    }
}

impl<N: Into<Bytes>, V: Into<Bytes>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(lines: T) -> Self {
        let mut headers = Self::new();
        for (name, value) in lines {
            headers.append(name, value);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insert_replaces_all_of_that_name_in_place() {
        let mut headers: Headers = [("A", "1"), ("b", "2"), ("a", "3"), ("C", "4")].into_iter().collect();
        headers.insert("a", "9");
        let lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value))).collect();
        assert_eq!(lines, ["a=9", "b=2", "C=4"]);
    }

    #[test]
    fn read_and_added_lines_live_side_by_side() {
        let mut headers = Headers::over(Bytes::from_static(b"X-One: a\r\n"));
        headers.push_read(0..5, 7..8);
        headers.append("X-Two", String::from("b"));
        headers.push(b"x-one", b"c");
        assert_eq!(headers.get_bytes("x-two").as_deref(), Some(&b"b"[..]));
        assert_eq!(headers.get_bytes("x-one").as_deref(), Some(&b"a"[..]));
        headers.insert("X-ONE", "d");
        let lines: Vec<_> = headers.lines().collect();
        assert_eq!(lines, [(&b"X-ONE"[..], &b"d"[..]), (b"X-Two", b"b")]);
    }

    #[test]
    fn lines_of_a_read_head_are_found_without_regard_to_case() {
        let mut headers = Headers::over(Bytes::from_static(b"X-One: a\r\nx-one: b\r\n"));
        headers.push_read(0..5, 7..8);
        headers.push_read(10..15, 17..18);
        assert_eq!(headers.get_all("X-ONE").collect::<Vec<_>>(), [b"a", b"b"]);
        assert!(headers.remove("x-One"));
        assert!(headers.is_empty());
    }
}
