//! Handing over to a new process of this program, without a moment in which nobody listens.
//!
//! The old process starts the program anew and gives it its listening sockets through a socket that is the new one's
//! standard input. The new one reads its settings, waits until every provider has spoken, accepts, and says so; then the
//! old one drains. A new one that ends, or is not ready in time, leaves everything as it was.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recv, recvmsg, send, sendmsg, socketpair,
};
use trafficcop_server::{Inherited, Purpose, Relay, Socket};

/// Set for a process whose standard input brings sockets.
const VARIABLE: &str = "TRAFFICCOP_TAKES_OVER";
/// How long a new process may take to be ready.
const READY_TIME: Duration = Duration::from_mins(1);
/// How long it may take to be given the sockets.
const GIVING_TIME: Duration = Duration::from_secs(10);
/// Sockets in one message; the system takes no more than 253.
const AT_ONCE: usize = 64;
/// The longest message: a name for each.
const LONGEST: usize = AT_ONCE * 512;
const READY: &[u8] = b"ready";
const END: &[u8] = b".";
/// Before the key of what belongs to the socket before it.
const RELAY: &str = "relay ";

/// The program's file as it was found when this process started: what lies there by the time of the upgrade is started.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// To be called before the file can have been replaced.
pub(crate) fn remember_program() {
    if let Ok(path) = std::env::current_exe() {
        let _first_wins = PROGRAM.set(path);
    }
}

/// The process before this one, which waits for a word.
pub(crate) struct Predecessor(io::Stdin);

impl Predecessor {
    /// Whether there is one.
    pub(crate) fn find() -> Option<Self> {
        std::env::var_os(VARIABLE).map(|_| Self(io::stdin()))
    }

    /// The sockets that it gives. Blocks, for a bounded time.
    pub(crate) fn sockets(&self) -> io::Result<Inherited> {
        let input = &self.0;
        set_socket_timeout(input, Timeout::Recv, Some(GIVING_TIME))?;
        let mut sockets = Vec::new();
        loop {
            let mut words = vec![0; LONGEST];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let into = &mut [IoSliceMut::new(&mut words)];
            let got = recvmsg(input, into, &mut control, RecvFlags::CMSG_CLOEXEC)?.bytes;
            match &words[..got] {
                END => return Ok(Inherited::new(sockets)),
                [] => return Err(io::Error::other("the process that hands over went away")),
                words => {
                    let words = String::from_utf8_lossy(words);
                    let files = control.drain().filter_map(|message| match message {
                        RecvAncillaryMessage::ScmRights(files) => Some(files),
                        _ => None,
                    });
                    for (word, file) in words.lines().zip(files.flatten()) {
                        match (word.strip_prefix(RELAY), sockets.last_mut()) {
                            (Some(key), Some(last)) => last.relays.extend(relay(key, file)),
                            _ => sockets.push(socket(word, file)),
                        }
                    }
                }
            }
        }
    }

    /// From now on this process serves.
    pub(crate) fn ready(&self) {
        if let Err(error) = send(&self.0, READY, SendFlags::NOSIGNAL) {
            tracing::warn!(%error, "The process that hands over went away; this one serves.");
        }
    }
}

/// The process that shall take over, while it starts.
#[derive(Clone, Default)]
pub(crate) struct Successor(Arc<Mutex<Option<Child>>>);

impl Successor {
    /// Starts the program anew with the arguments of this process, gives it these sockets and waits until it serves.
    /// The number of the new process, or why there is none. Blocks, for a bounded time.
    pub(crate) fn start(&self, sockets: &[Socket]) -> Result<u32, String> {
        let started = self.begin(sockets);
        if started.is_err() {
            self.end();
        }
        started
    }

    fn begin(&self, sockets: &[Socket]) -> Result<u32, String> {
        let told = |error: Errno| error.to_string();
        let program = PROGRAM.get().ok_or("the program's file is unknown")?;
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(told)?;
        let mut arguments = std::env::args_os();
        let mut command = Command::new(program);
        command.arg0(arguments.next().unwrap_or_else(|| program.into())).args(arguments);
        // These name this process.
        command.env_remove("WATCHDOG_PID").env_remove("LISTEN_PID").env(VARIABLE, "1").stdin(Stdio::from(theirs));
        let child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        let number = child.id();
        drop(command);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(child);

        set_socket_timeout(&ours, Timeout::Send, Some(GIVING_TIME)).map_err(told)?;
        set_socket_timeout(&ours, Timeout::Recv, Some(READY_TIME)).map_err(told)?;
        let mut word = [0; 16];
        let answered = give(&ours, sockets).and_then(|()| recv(&ours, &mut word, RecvFlags::empty()));
        match answered {
            Ok((bytes, _)) if word.get(..bytes) == Some(READY) => Ok(number),
            Err(Errno::AGAIN) => Err(format!("it was not ready within {READY_TIME:?}")),
            Ok(_) | Err(Errno::CONNRESET | Errno::PIPE) => {
                Err("it ended before it was ready; its own words are in the log above".to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Ends a process that was started in vain.
    pub(crate) fn end(&self) {
        if let Some(mut child) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _gone_already = child.kill();
            let _status = child.wait();
        }
    }
}

fn give(to: &OwnedFd, sockets: &[Socket]) -> rustix::io::Result<()> {
    let all: Vec<_> = sockets.iter().flat_map(words).collect();
    for some in all.chunks(AT_ONCE) {
        let words = some.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join("\n");
        let files: Vec<BorrowedFd<'_>> = some.iter().map(|(_, file)| *file).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(to, &[IoSlice::new(words.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
    }
    send(to, END, SendFlags::NOSIGNAL).map(drop)
}

/// A socket, and behind it what belongs to it.
fn words(socket: &Socket) -> impl Iterator<Item = (String, BorrowedFd<'_>)> {
    let relays = socket.relays.iter().map(|relay| (format!("{RELAY}{}", relay.key), relay.socket.as_fd()));
    std::iter::once((word(socket), socket.socket.as_fd())).chain(relays)
}

fn relay(key: &str, socket: OwnedFd) -> Option<Relay> {
    Some(Relay { socket, key: key.parse().ok()? })
}

/// What is said of a socket: what it is for, and its name if it has one.
fn word(socket: &Socket) -> String {
    let purpose = match socket.purpose {
        Purpose::Tcp => "tcp",
        Purpose::Udp => "udp",
        Purpose::Quic => "quic",
    };
    format!("{purpose} {}", socket.name.as_deref().unwrap_or_default())
}

fn socket(word: &str, socket: OwnedFd) -> Socket {
    let (purpose, name) = word.split_once(' ').unwrap_or((word, ""));
    let purpose = match purpose {
        "udp" => Purpose::Udp,
        "quic" => Purpose::Quic,
        _ => Purpose::Tcp,
    };
    Socket { purpose, name: (!name.is_empty()).then(|| name.to_owned()), socket, relays: Vec::new() }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn what_is_said_of_a_socket_is_understood() {
        for (purpose, name) in [(Purpose::Tcp, None), (Purpose::Udp, Some("dns")), (Purpose::Quic, None)] {
            let open = || OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
            let given = Socket { purpose, name: name.map(String::from), socket: open(), relays: Vec::new() };
            let taken = socket(&word(&given), open());
            assert_eq!((taken.purpose, taken.name.as_deref()), (purpose, name));
        }
    }
}
