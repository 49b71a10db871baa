//! From byte offsets to lines and columns.

use std::sync::Arc;

use crate::Origin;

/// A text with the offsets at which its lines begin.
pub(super) struct Positions<'a> {
    text: &'a str,
    file: Arc<str>,
    lines: Vec<usize>,
}

impl<'a> Positions<'a> {
    pub(super) fn new(text: &'a str, file: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset + 1);
        Self { text, file: file.into(), lines: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The line and the column, counted in characters from 1, of a byte offset.
    pub(super) fn at(&self, offset: usize) -> Origin {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Origin::File { file: Arc::clone(&self.file), line: line as u32, column: column as u32 }
    }
}
