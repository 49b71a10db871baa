//! From byte offsets to lines and columns.

use std::cell::Cell;
use std::sync::Arc;

use crate::Origin;

/// A text with the offsets at which its lines begin. Asked in the order of the text it counts every character once,
/// also in a document that is one long line.
pub(super) struct Positions<'a> {
    text: &'a str,
    file: Arc<str>,
    lines: Vec<usize>,
    last: Cell<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Positions<'a> {
    pub(super) fn new(text: &'a str, file: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset + 1);
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Self { text, file: file.into(), lines, last: Cell::new(Place { offset: 0, line: 1, column: 1 }) }
    }

    /// The line and the column, counted in characters from 1, of a byte offset.
    pub(super) fn at(&self, offset: usize) -> Origin {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let last = self.last.get();
        let (from, before) = if last.line == line && last.offset <= offset {
            (last.offset, last.column)
        } else {
            (self.lines[line - 1], 1)
        };
        let column = before + self.text.get(from..offset).map_or(0, |between| between.chars().count());
        self.last.set(Place { offset, line, column });
        Origin::File { file: Arc::clone(&self.file), line: line as u32, column: column as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn counts_lines_and_characters_in_any_order() {
        let positions = Positions::new("ab\näöü x\n\nz", "f");
        for (offset, expected) in [
            (0, "1:1"),
            (1, "1:2"),
            (3, "2:1"),
            (7, "2:3"),
            (10, "2:5"),
            (3, "2:1"),
            (12, "3:1"),
            (13, "4:1"),
            (99, "4:2"),
        ] {
            assert_eq!(positions.at(offset).to_string(), format!("f:{expected}"), "{offset}");
        }
    }
}
