//! The texts that findings point into.

use std::collections::HashMap;
use std::ops::Range;

/// Files by the names that places call them, read when first asked for.
#[derive(Debug, Default)]
pub struct Texts {
    files: HashMap<String, Option<String>>,
}

/// A place in a line.
pub(super) struct Place<'a> {
    pub(super) line: &'a str,
    /// Bytes of the line.
    pub(super) span: Range<usize>,
}

impl Texts {
    /// Says what a file holds, where that differs from the disk: a template that was expanded.
    pub fn put(&mut self, file: impl Into<String>, text: impl Into<String>) {
        self.files.insert(file.into(), Some(text.into()));
    }

    /// A line of a file, counted from 1, without its end.
    pub fn line(&mut self, file: &str, line: u32) -> Option<&str> {
        let text = self.files.entry(file.to_owned()).or_insert_with(|| std::fs::read_to_string(file).ok());
        text.as_deref()?.lines().nth((line as usize).checked_sub(1)?)
    }

    /// A place in a file; `column` and `length` count characters. Without a length it reaches to the end of the word.
    pub(super) fn place(&mut self, file: &str, line: u32, column: u32, length: Option<usize>) -> Option<Place<'_>> {
        let line = self.line(file, line)?;
        let mut starts = line.char_indices().map(|(at, _)| at).chain([line.len()]);
        let start = starts.nth((column as usize).saturating_sub(1)).unwrap_or(line.len());
        let end = match length {
            Some(length) => line[start..].char_indices().map(|(at, _)| start + at).nth(length).unwrap_or(line.len()),
            None => start + word(&line[start..]),
        };
        Some(Place { line, span: start..end })
    }
}

/// How many bytes the key or value takes that `text` begins with.
fn word(text: &str) -> usize {
    let mut letters = text.char_indices();
    match letters.next() {
        Some((_, quote @ ('"' | '\'' | '`'))) => {
            letters.find(|(_, letter)| *letter == quote).map_or(text.len(), |(at, _)| at + 1)
        }
        Some(_) => {
            let ends = |(at, letter): &(usize, char)| {
                let after = text[at + letter.len_utf8()..].chars().next();
                matches!(letter, ',' | ']' | '}' | '=')
                    || letter.is_whitespace()
                    || (*letter == ':' && after.is_none_or(char::is_whitespace))
            };
            letters.find(ends).map_or(text.len(), |(at, _)| at)
        }
        None => 0,
    }
}
