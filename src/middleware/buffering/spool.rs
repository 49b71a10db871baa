//! A body that was read whole: in memory up to a threshold, else in a temporary file that has no name.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame};

/// Read back from the file at a time.
const PIECE: usize = 64 << 10;

#[derive(Clone)]
pub(super) enum Spool {
    Memory(Bytes),
    File { file: Arc<Mutex<File>>, size: u64 },
}

impl Spool {
    /// Reads at most `most` bytes, of which `memory` stay in memory. Trailers are dropped, as they are in Traefik.
    pub(super) async fn read(body: &mut Body, most: u64, memory: usize) -> Result<Self, BodyError> {
        if body.remaining().is_some_and(|remaining| remaining > most) {
            return Err(BodyError::TooLarge(most));
        }
        let (mut held, mut file, mut size) = (BytesMut::new(), None::<File>, 0_u64);
        while let Some(frame) = body.frame().await {
            let Frame::Data(data) = frame? else { continue };
            size += data.len() as u64;
            if size > most {
                return Err(BodyError::TooLarge(most));
            }
            match &mut file {
                Some(file) => file.write_all(&data).map_err(failed)?,
                None if held.len() + data.len() <= memory => held.extend_from_slice(&data),
                None => {
                    let mut new = tempfile::tempfile().map_err(failed)?;
                    new.write_all(&held).and_then(|()| new.write_all(&data)).map_err(failed)?;
                    held.clear();
                    file = Some(new);
                }
            }
        }
        Ok(match file {
            Some(file) => Self::File { file: Arc::new(Mutex::new(file)), size },
            None => Self::Memory(held.freeze()),
        })
    }

    /// The body, as often as it is wanted; one at a time.
    pub(super) fn body(&self) -> Body {
        match self {
            Self::Memory(bytes) => Body::from(bytes.clone()),
            Self::File { file, size } => Body::stream(Replay { file: Arc::clone(file), at: 0, size: *size }),
        }
    }
}

fn failed(error: io::Error) -> BodyError {
    BodyError::Other(error.into())
}

struct Replay {
    file: Arc<Mutex<File>>,
    at: u64,
    size: u64,
}

impl BodyStream for Replay {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let size = (self.size - self.at).min(PIECE as u64) as usize;
        if size == 0 {
            return Poll::Ready(None);
        }
        // The page cache holds what was just written, so this reads memory and not a disk.
        let mut piece = vec![0; size];
        let mut file = self.file.lock();
        let read = file.seek(SeekFrom::Start(self.at)).and_then(|_| file.read_exact(&mut piece));
        self.at += size as u64;
        Poll::Ready(Some(read.map(|()| Frame::Data(Bytes::from(piece))).map_err(failed)))
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.size - self.at)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[track_caller]
    fn check(memory: usize, in_file: bool) {
        let text: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let spool = Spool::read(&mut Body::from(text.clone()), u64::MAX, memory).now_or_never();
        let spool = spool.expect("nothing to wait for").expect("a body");
        assert_eq!(matches!(spool, Spool::File { .. }), in_file);
        for _ in 0..2 {
            let again = spool.body().collect(u64::MAX).now_or_never().expect("nothing to wait for").expect("a body");
            assert_eq!(again, text);
        }
    }

    #[test]
    fn it_can_be_read_again() {
        check(usize::MAX, false);
        check(1000, true);
        check(0, true);
    }
}
