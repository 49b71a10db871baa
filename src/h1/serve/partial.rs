//! [`Partial`]: a request's head on its way in.

use bytes::{Buf, Bytes, BytesMut};

use crate::buffers;

/// Go waits for so many bytes, those of an HTTP/2 preface's first line, before it looks at a connection.
const FIRST_LOOK: usize = 14;
/// And for so many before each later request.
const LATER_LOOK: usize = 4;
/// The bytes of a head that is not whole yet.
#[derive(Default)]
pub(super) struct Partial {
    piece: Bytes,
    /// Several pieces, put together.
    whole: BytesMut,
    /// So far there was no empty line, and the first line was looked at.
    seen: usize,
    has_seen_line: bool,
}

impl Partial {
    pub(super) fn bytes(&self) -> &[u8] {
        if self.whole.is_empty() { &self.piece } else { &self.whole }
    }

    pub(super) fn add(&mut self, piece: Bytes) {
        if self.piece.is_empty() && self.whole.is_empty() {
            self.piece = piece;
            return;
        }
        if self.whole.is_empty() {
            self.whole = BytesMut::from(&self.piece[..]);
            self.piece = Bytes::new();
        }
        self.whole.extend_from_slice(&piece);
    }

    /// Whether parsing can bring something new: the first line or the end of the head has come. This keeps the work in
    /// proportion to the bytes, however thinly they drip.
    pub(super) fn is_worth_a_look(&mut self, is_first: bool) -> bool {
        let bytes = if self.whole.is_empty() { &self.piece[..] } else { &self.whole[..] };
        if bytes.len() <= self.seen || bytes.len() < if is_first { FIRST_LOOK } else { LATER_LOOK } {
            return false;
        }
        // What has just come is mostly a whole head.
        let mut is_worth = self.seen == 0;
        let from = if is_worth { bytes.len() } else { self.seen.saturating_sub(2) };
        for at in memchr::memchr_iter(b'\n', &bytes[from..]) {
            is_worth |= !self.has_seen_line;
            self.has_seen_line = true;
            let rest = &bytes[from + at + 1..];
            is_worth |= rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
            if is_worth {
                break;
            }
        }
        self.seen = bytes.len();
        is_worth
    }

    /// What follows the head.
    pub(super) fn take_rest(&mut self, len: usize) -> Bytes {
        let mut rest =
            if self.whole.is_empty() { std::mem::take(&mut self.piece) } else { self.whole.split().freeze() };
        rest.advance(len);
        if rest.is_empty() { Bytes::new() } else { buffers::detach(rest) }
    }

    /// Too little to be taken for the beginning of a request when the client closes.
    pub(super) fn is_nothing(&self, is_first: bool) -> bool {
        self.bytes().len() < if is_first { 1 } else { LATER_LOOK }
    }

    /// Go's grace for clients that send an empty line too much after a form.
    pub(super) fn skip_line_ends(&mut self) {
        let len = self.piece.iter().take(4).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.piece.advance(len);
    }

    /// Holds nothing of the worker's while it waits for more.
    pub(super) fn detach(&mut self) {
        if !self.piece.is_empty() {
            self.whole = BytesMut::from(&self.piece[..]);
            self.piece = Bytes::new();
        }
    }
}
