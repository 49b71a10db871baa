//! [`Headers`]: an ordered list of header lines over the bytes of the head they came with.
//!
//! A head that was read keeps its bytes, its order and its letter case; what is inserted stands beside them. Looking a
//! header up is a scan: heads have a dozen lines, and comparing lengths first settles nearly all of them.

use std::fmt;

use bytes::Bytes;
use smallvec::SmallVec;

/// Header lines in their order. Names are compared without regard to case and written as they were given.
#[derive(Clone, Default)]
pub struct Headers {
    /// The head that was read; entries point into it.
    head: Bytes,
    entries: SmallVec<[Entry; 16]>,
}

#[derive(Clone)]
struct Entry {
    name: Text,
    value: Text,
}

#[derive(Clone)]
enum Text {
    /// Start and length within `head`.
    Read(u32, u32),
    Own(Bytes),
}

impl Headers {
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list over `head`, to which an engine adds with [`Headers::push_read`].
    pub fn over(head: Bytes) -> Self {
        Self { head, entries: SmallVec::new() }
    }

    /// Adds the line whose name and value lie at these ranges of the head given to [`Headers::over`].
    pub fn push_read(&mut self, name: std::ops::Range<usize>, value: std::ops::Range<usize>) {
        debug_assert!(name.end <= self.head.len() && value.end <= self.head.len());
        let name = Text::Read(name.start as u32, name.len() as u32);
        let value = Text::Read(value.start as u32, value.len() as u32);
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
        self.entries.iter().find(|entry| self.is_named(entry, name)).map(|entry| self.text(&entry.value))
    }

    /// The first value of that name, if it is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.entries.iter().filter(move |entry| self.is_named(entry, name)).map(|entry| self.text(&entry.value))
    }

    /// The first value of that name without copying its bytes.
    pub fn get_bytes(&self, name: &str) -> Option<Bytes> {
        let entry = self.entries.iter().find(|entry| self.is_named(entry, name))?;
        Some(match &entry.value {
            Text::Read(start, len) => self.head.slice(*start as usize..(start + len) as usize),
            Text::Own(bytes) => bytes.clone(),
        })
    }

    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| self.is_named(entry, name))
    }

    /// Every line, in order: name as written, value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries
            .iter()
            .map(|entry| (std::str::from_utf8(self.text(&entry.name)).unwrap_or_default(), self.text(&entry.value)))
    }

    /// Adds a line after all others.
    pub fn append(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.entries.push(Entry { name: Text::Own(name.into()), value: Text::Own(value.into()) });
    }

    /// Leaves exactly one line of that name: in the place of the first that was there, else at the end.
    pub fn insert(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let (name, value) = (name.into(), value.into());
        let lookup = name.clone();
        let Ok(lookup) = std::str::from_utf8(&lookup) else { return };
        match self.entries.iter().position(|entry| self.is_named(entry, lookup)) {
            Some(first) => {
                self.entries[first] = Entry { name: Text::Own(name), value: Text::Own(value) };
                self.retain_from(first + 1, |line| !line.eq_ignore_ascii_case(lookup));
            }
            None => self.entries.push(Entry { name: Text::Own(name), value: Text::Own(value) }),
        }
    }

    /// Removes every line of that name; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.entries.len();
        self.retain_from(0, |line| !line.eq_ignore_ascii_case(name));
        before != self.entries.len()
    }

    /// Keeps the lines for whose name and value `keep` says true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let head = &self.head;
        self.entries.retain(|entry| {
            keep(std::str::from_utf8(read(head, &entry.name)).unwrap_or_default(), read(head, &entry.value))
        });
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    fn retain_from(&mut self, start: usize, mut keep: impl FnMut(&str) -> bool) {
        let head = &self.head;
        let mut index = 0;
        self.entries.retain(|entry| {
            index += 1;
            index <= start || keep(std::str::from_utf8(read(head, &entry.name)).unwrap_or_default())
        });
    }

    fn is_named(&self, entry: &Entry, name: &str) -> bool {
        self.text(&entry.name).eq_ignore_ascii_case(name.as_bytes())
    }

    fn text<'a>(&'a self, text: &'a Text) -> &'a [u8] {
        read(&self.head, text)
    }
}

fn read<'a>(head: &'a Bytes, text: &'a Text) -> &'a [u8] {
    match text {
        Text::Read(start, len) => &head[*start as usize..(*start + *len) as usize],
        Text::Own(bytes) => bytes,
    }
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
    fn lines_of_a_read_head_are_found_without_regard_to_case() {
        let mut headers = Headers::over(Bytes::from_static(b"X-One: a\r\nx-one: b\r\n"));
        headers.push_read(0..5, 7..8);
        headers.push_read(10..15, 17..18);
        assert_eq!(headers.get_all("X-ONE").collect::<Vec<_>>(), [b"a", b"b"]);
        assert!(headers.remove("x-One"));
        assert!(headers.is_empty());
    }
}
