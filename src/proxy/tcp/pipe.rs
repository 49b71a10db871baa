//! Bytes both ways between two streams, until both directions have ended.
//!
//! What must hold: an idle connection holds no buffer, as bytes are read into one that the worker owns; what the other
//! side does not take at once is kept, and nothing more is read until it has been taken. The end of one direction is told
//! to the other side, and then the opposite direction has the termination delay left.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;
use trafficcop_exchange::Duplex;

/// How much is moved at once. Larger pieces no longer save CPU time.
const PIECE: usize = 256 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; PIECE].into());
}

/// One direction.
#[derive(Default)]
struct Way {
    /// What was read and not yet taken by the other side.
    rest: Vec<u8>,
    sent: usize,
    /// Something was written since the last flush.
    unflushed: bool,
    source_ended: bool,
    done: bool,
}

impl Way {
    fn poll(&mut self, from: &mut dyn Duplex, to: &mut dyn Duplex, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while self.sent < self.rest.len() {
                match Pin::new(&mut *to).poll_write(cx, &self.rest[self.sent..])? {
                    Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(written) => self.sent += written,
                    Poll::Pending => return Poll::Pending,
                }
            }
            if self.sent > 0 {
                (self.rest, self.sent) = (Vec::new(), 0);
            }
            if self.source_ended {
                return Pin::new(&mut *to).poll_shutdown(cx);
            }
            match self.poll_move(from, to, cx) {
                Poll::Ready(moved) => self.source_ended = moved? == 0,
                Poll::Pending => {
                    if self.unflushed && Pin::new(&mut *to).poll_flush(cx)?.is_ready() {
                        self.unflushed = false;
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// Reads once and writes as much of it as goes; tells how much was read.
    fn poll_move(
        &mut self,
        from: &mut dyn Duplex,
        to: &mut dyn Duplex,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            match Pin::new(&mut *from).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
            let read = buffer.filled();
            if read.is_empty() {
                return Poll::Ready(Ok(0));
            }
            self.unflushed = true;
            let written = match Pin::new(&mut *to).poll_write(cx, read) {
                Poll::Ready(written) => written?,
                Poll::Pending => 0,
            };
            self.rest.extend_from_slice(&read[written..]);
            Poll::Ready(Ok(read.len()))
        })
    }
}

/// Moves bytes until both directions have ended. Once one has, the other gets `delay`; None: as long as it takes.
pub(super) async fn both_ways(
    client: &mut dyn Duplex,
    server: &mut dyn Duplex,
    delay: Option<Duration>,
) -> io::Result<()> {
    let (mut up, mut down) = (Way::default(), Way::default());
    poll_fn(|cx| {
        step(&mut up, client, server, cx)?;
        step(&mut down, server, client, cx)?;
        if up.done || down.done { Poll::Ready(io::Result::Ok(())) } else { Poll::Pending }
    })
    .await?;
    let rest = poll_fn(|cx| {
        step(&mut up, client, server, cx)?;
        step(&mut down, server, client, cx)?;
        if up.done && down.done { Poll::Ready(Ok(())) } else { Poll::Pending }
    });
    match delay {
        None => rest.await,
        Some(delay) => tokio::time::timeout(delay, rest).await.unwrap_or(Ok(())),
    }
}

fn step(way: &mut Way, from: &mut dyn Duplex, to: &mut dyn Duplex, cx: &mut Context<'_>) -> io::Result<()> {
    if !way.done
        && let Poll::Ready(ended) = way.poll(from, to, cx)
    {
        ended?;
        way.done = true;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_half_close_is_passed_on_and_the_answer_still_comes() {
        let (mut client, mut near) = duplex(64);
        let (mut far, mut server) = duplex(64);
        let piped = async { both_ways(&mut near, &mut far, None).await.unwrap() };
        let talk = async {
            client.write_all(b"question").await.unwrap();
            client.shutdown().await.unwrap();
            let mut asked = Vec::new();
            server.read_to_end(&mut asked).await.unwrap();
            assert_eq!(asked, b"question");
            let large = vec![7; 100_000];
            let answer = async {
                server.write_all(&large).await.unwrap();
                server.shutdown().await.unwrap();
            };
            let mut heard = Vec::new();
            let ((), read) = tokio::join!(answer, client.read_to_end(&mut heard));
            assert_eq!((read.unwrap(), heard == large), (100_000, true));
        };
        tokio::join!(piped, talk);
    }

    #[tokio::test]
    async fn the_other_direction_ends_after_the_delay() {
        let (mut client, mut near) = duplex(64);
        let (mut far, _silent) = duplex(64);
        client.shutdown().await.unwrap();
        both_ways(&mut near, &mut far, Some(Duration::from_millis(1))).await.unwrap();
    }
}
