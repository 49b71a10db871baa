//! [`Relayed`]: the UDP socket of an endpoint, across a handover to another process.
//!
//! Both processes hold the same socket, and whoever reads a datagram has it. So only the newest reads: what belongs to a
//! connection of a process before it goes on to that process, over a socket that this one listens on. Whose a datagram is
//! shows in its connection's id, which every process signs with a key of its own.
//! What must hold: first packets of new connections stay with the newest; nothing here waits for another process.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram as StdDatagram;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use quinn::udp::{EcnCodepoint, RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, ConnectionId, ConnectionIdGenerator, UdpPoller};
use quinn_proto::HashedConnectionIdGenerator;
use tokio::net::UnixDatagram;

use crate::inherited::Relay;

/// Bytes of a signed id.
const ID: usize = 8;
/// Processes that may be draining at once; datagrams of older ones are dropped.
const GENERATIONS: usize = 8;

/// What an endpoint shares with whoever hands its socket over.
#[derive(Debug)]
pub(crate) struct Passage {
    key: u64,
    /// The processes before this one, the last first.
    older: Vec<Relay>,
    /// Where the process after this one will send what is ours.
    offered: Mutex<Option<StdDatagram>>,
}

impl Passage {
    pub(crate) fn new(older: Vec<Relay>) -> Self {
        Self { key: RandomState::new().build_hasher().finish(), older, offered: Mutex::default() }
    }

    /// What the next process needs to send us what is ours, and to those before us what is theirs. An offer before this
    /// one is void.
    pub(crate) fn offer(&self) -> io::Result<Vec<Relay>> {
        let (ours, theirs) = StdDatagram::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).replace(ours);
        let ours = Ok(Relay { socket: theirs.into(), key: self.key });
        let copy = |older: &Relay| Ok(Relay { socket: older.socket.try_clone()?, key: older.key });
        std::iter::once(ours).chain(self.older.iter().map(copy)).take(GENERATIONS).collect()
    }

    /// Makes the ids of an endpoint's connections.
    pub(crate) fn generator(&self) -> impl Fn() -> Box<dyn ConnectionIdGenerator> + Send + Sync + 'static {
        let key = self.key;
        move || Box::new(HashedConnectionIdGenerator::from_key(key))
    }
}

/// A process before this one.
struct Older {
    socket: StdDatagram,
    ids: HashedConnectionIdGenerator,
}

impl Older {
    fn new(relay: &Relay) -> io::Result<Self> {
        let socket = StdDatagram::from(relay.socket.try_clone()?);
        socket.set_nonblocking(true)?;
        Ok(Self { socket, ids: HashedConnectionIdGenerator::from_key(relay.key) })
    }

    fn has(&self, datagram: &[u8]) -> bool {
        destination(datagram).is_some_and(|id| self.ids.validate(&ConnectionId::new(id)).is_ok())
    }

    /// Takes what is for this process out of a buffer; what is left moves to its front. The rest's length.
    fn take(&self, buffer: &mut [u8], meta: &RecvMeta) -> usize {
        let (stride, mut at, mut kept) = (meta.stride.max(1), 0, 0);
        let mut theirs = Vec::new();
        while at < meta.len {
            let end = meta.len.min(at + stride);
            if self.has(&buffer[at..end]) {
                theirs.extend_from_slice(&buffer[at..end]);
            } else {
                buffer.copy_within(at..end, kept);
                kept += end - at;
            }
            at = end;
        }
        if !theirs.is_empty() {
            put_meta(&mut theirs, meta);
            // Like a network, this may lose datagrams: when there are too many, or nobody is there any more.
            let _lost_if_not = self.socket.send(&theirs);
        }
        kept
    }
}

/// See the module.
pub(crate) struct Relayed {
    udp: Arc<dyn AsyncUdpSocket>,
    passage: Arc<Passage>,
    older: Vec<Older>,
    /// Once there is a newer process: all that comes in.
    newer: OnceLock<UnixDatagram>,
    /// The endpoint, while it waits for datagrams.
    waiting: Mutex<Option<Waker>>,
}

impl Relayed {
    /// To be called on the runtime of the endpoint.
    pub(crate) fn new(udp: Arc<dyn AsyncUdpSocket>, passage: Arc<Passage>) -> io::Result<Arc<Self>> {
        let older = passage.older.iter().map(Older::new).collect::<io::Result<_>>()?;
        let (newer, waiting) = (OnceLock::new(), Mutex::default());
        Ok(Arc::new(Self { udp, passage, older, newer, waiting }))
    }

    /// From now on the process after this one reads; to be called on the runtime of the endpoint.
    pub(crate) fn hand_over(&self) {
        let offered = self.passage.offered.lock().unwrap_or_else(PoisonError::into_inner).take();
        match offered.map(UnixDatagram::from_std) {
            Some(Ok(socket)) => {
                let _the_first_stays = self.newer.set(socket);
            }
            Some(Err(error)) => tracing::warn!(%error, "Connections of HTTP/3 are lost by the handover."),
            None => {}
        }
        if let Some(waiting) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waiting.wake();
        }
    }

    fn poll_any(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let Some(newer) = self.newer.get() else {
            let polled = self.udp.poll_recv(cx, bufs, meta);
            if polled.is_pending() {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if waiting.as_ref().is_none_or(|known| !known.will_wake(cx.waker())) {
                    *waiting = Some(cx.waker().clone());
                }
            }
            return polled;
        };
        let (Some(buffer), Some(first)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        loop {
            ready!(newer.poll_recv_ready(cx))?;
            match newer.try_recv(buffer) {
                Ok(length) => {
                    if let Some(found) = meta_of(&buffer[..length]) {
                        *first = found;
                        return Poll::Ready(Ok(1));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The newer process has ended, and with it whatever it was sent.
                Err(_) => return Poll::Pending,
            }
        }
    }
}

impl AsyncUdpSocket for Relayed {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.udp).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.udp.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(self.poll_any(cx, bufs, meta))?;
        for older in &self.older {
            for (buffer, meta) in bufs.iter_mut().zip(&mut *meta).take(count) {
                // A buffer of nothing is passed over.
                meta.len = older.take(buffer, meta);
            }
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.udp.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.udp.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.udp.may_fragment()
    }
}

impl fmt::Debug for Relayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relayed").field("udp", &self.udp).finish_non_exhaustive()
    }
}

/// The id of the connection that a datagram is for, if it may be one of ours.
fn destination(datagram: &[u8]) -> Option<&[u8]> {
    const LONG: u8 = 0x80;
    if datagram.first()? & LONG == 0 {
        return datagram.get(1..=ID);
    }
    let length = usize::from(*datagram.get(5)?);
    if length == ID { datagram.get(6..6 + ID) } else { None }
}

/// Puts what is known of datagrams behind them: words, and how many bytes these are.
fn put_meta(datagrams: &mut Vec<u8>, meta: &RecvMeta) {
    let local = meta.dst_ip.map_or_else(String::new, |ip| ip.to_string());
    let words = format!("{} {} {} {local}", meta.addr, meta.stride, meta.ecn.map_or(0, |ecn| ecn as u8));
    datagrams.extend_from_slice(words.as_bytes());
    datagrams.push(u8::try_from(words.len()).unwrap_or_default());
}

fn meta_of(message: &[u8]) -> Option<RecvMeta> {
    let (length, rest) = message.split_last()?;
    let (datagrams, words) = rest.split_at_checked(rest.len().checked_sub(usize::from(*length))?)?;
    let mut words = std::str::from_utf8(words).ok()?.split(' ');
    Some(RecvMeta {
        len: datagrams.len(),
        addr: words.next()?.parse().ok()?,
        stride: words.next()?.parse().ok()?,
        ecn: EcnCodepoint::from_bits(words.next()?.parse().ok()?),
        dst_ip: words.next()?.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(id: &[u8], body: &[u8]) -> Vec<u8> {
        [&[0x40], id, body].concat()
    }

    fn long(id: &[u8]) -> Vec<u8> {
        [&[0xc0, 0, 0, 0, 1, id.len() as u8], id, &[0, 7]].concat()
    }

    #[test]
    fn what_is_known_of_datagrams_goes_with_them() {
        for (peer, local) in
            [("192.0.2.1:4", Some("192.0.2.9")), ("[fe80::1%3]:443", None), ("[::ffff:192.0.2.1]:1", Some("::1"))]
        {
            let (addr, dst_ip) = (peer.parse().unwrap(), local.map(|local| local.parse().unwrap()));
            let meta = RecvMeta { addr, dst_ip, len: 5, stride: 3, ecn: Some(EcnCodepoint::Ce) };
            let mut message = b"abcde".to_vec();
            put_meta(&mut message, &meta);
            assert_eq!(format!("{:?}", meta_of(&message).unwrap()), format!("{meta:?}"));
        }
        assert!(meta_of(b"").is_none() && meta_of(b"abc\xff").is_none() && meta_of(b"abc\x02").is_none());
    }

    #[tokio::test]
    async fn datagrams_of_older_processes_go_to_them() {
        let first = Passage::new(vec![]);
        let second = Passage::new(first.offer().unwrap());
        let third = Passage::new(second.offer().unwrap());
        assert_eq!(third.older.iter().map(|older| older.key).collect::<Vec<_>>(), [second.key, first.key]);
        let id = |passage: &Passage| passage.generator()().generate_cid().to_vec();
        let ours = [short(&id(&third), b"own"), short(b"\0\0\0\0\0\0\0\0", b"own")];
        let theirs = [short(&id(&first), b"old"), short(&id(&second), b"mid"), short(&id(&first), b"old")];
        let mut buffer = [&ours[0][..], &theirs[0], &theirs[1], &ours[1], &theirs[2]].concat();
        let stride = ours[0].len();
        let mut meta = RecvMeta { len: buffer.len(), stride, ..RecvMeta::default() };
        for older in &third.older {
            meta.len = Older::new(older).unwrap().take(&mut buffer, &meta);
        }
        assert_eq!(buffer[..meta.len], ours.concat());
        for (passage, expected) in [(&second, theirs[1].clone()), (&first, [&theirs[0][..], &theirs[2]].concat())] {
            let mut message = [0; 256];
            let length = passage.offered.lock().unwrap().as_ref().unwrap().recv(&mut message).unwrap();
            let told = meta_of(&message[..length]).unwrap();
            assert_eq!((&message[..told.len], told.stride), (&expected[..], stride));
        }
        let older = Older::new(&third.older[1]).unwrap();
        let datagrams =
            [(long(&id(&first)), true), (long(&id(&third)), false), (long(b"random"), false), (vec![], false)];
        for (datagram, is_theirs) in datagrams {
            assert_eq!(older.has(&datagram), is_theirs, "{datagram:?}");
        }
    }
}
