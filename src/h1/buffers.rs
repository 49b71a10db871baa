//! The worker's buffers: connections borrow them for the moment of a read or a write and hold none while they wait.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The largest single read.
const SLAB: usize = 256 * 1024;
/// A slab with less room than this, of which pieces are still held, is left to them.
const SMALLEST: usize = 16 * 1024;
/// Scratch buffers kept per worker, and the capacity up to which one is kept.
const SCRATCHES: usize = 64;
const SCRATCH: usize = 64 * 1024;

thread_local! {
    static READ: RefCell<BytesMut> = RefCell::new(BytesMut::new());
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Reads once; no bytes at all mean that the peer has closed. The piece is a slice of the worker's buffer: whoever
/// keeps it for long should [`detach`] it.
pub(crate) fn poll_read<Io: AsyncRead + Unpin>(io: &mut Io, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
    READ.with_borrow_mut(|slab| {
        // Once all pieces are gone this begins at the front again, where the cache is warm.
        if !slab.try_reclaim(SLAB) && slab.capacity() < SMALLEST {
            *slab = BytesMut::with_capacity(SLAB);
        }
        let room = slab.capacity();
        let mut limited = (&mut *slab).limit(room);
        let read = pin!(io.read_buf(&mut limited)).poll(cx);
        read.map_ok(|len| slab.split_to(len).freeze())
    })
}

/// A piece that does not keep a whole slab of the worker alive, unless it is most of one.
pub(crate) fn detach(piece: Bytes) -> Bytes {
    if piece.len() <= SLAB / 4 { Bytes::copy_from_slice(&piece) } else { piece }
}

/// An empty buffer for heads and small bodies.
pub(crate) fn scratch() -> Vec<u8> {
    FREE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(4096))
}

/// Gives a scratch buffer back.
pub(crate) fn give_back(mut scratch: Vec<u8>) {
    if scratch.capacity() == 0 || scratch.capacity() > SCRATCH {
        return;
    }
    FREE.with_borrow_mut(|free| {
        if free.len() < SCRATCHES {
            scratch.clear();
            free.push(scratch);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn reading_goes_on_while_pieces_are_held_and_starts_over_when_not() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut read = |mut text: &[u8]| match poll_read(&mut text, &mut cx) {
            Poll::Ready(Ok(piece)) => piece,
            other => panic!("{other:?}"),
        };
        let first = read(b"one");
        let address = first.as_ptr();
        let second = read(b"two");
        assert_eq!((&first[..], &second[..]), (&b"one"[..], &b"two"[..]));
        drop((first, second));
        let third = read(b"three");
        assert_eq!((&third[..], third.as_ptr()), (&b"three"[..], address));
        assert!(read(b"").is_empty());
    }

    #[test]
    fn held_pieces_do_not_stop_reading() {
        let mut cx = Context::from_waker(Waker::noop());
        let long = vec![7; SLAB];
        let mut held = Vec::new();
        for _ in 0..8 {
            let Poll::Ready(Ok(piece)) = poll_read(&mut &long[..], &mut cx) else { panic!() };
            assert!(piece.len() >= SMALLEST);
            held.push(piece);
        }
    }
}
