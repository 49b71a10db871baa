//! A TCP connection on its way to a service, and what may refuse it.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};

use crate::{Duplex, LocalBoxFuture};

/// A client's connection: bytes that were read to find the route come first out of its stream.
pub struct TcpConnection {
    pub peer: SocketAddr,
    /// Where the client believes to be connected.
    pub local: SocketAddr,
    pub stream: Box<dyn Duplex>,
    /// The client asked for TLS the way Postgres does and was told to begin, but its bytes go on as they are: the server
    /// is to be asked the same before them.
    pub asks_postgres: bool,
}

/// The end of a TCP route: serves a connection to its end.
pub trait TcpService: Send + Sync + 'static {
    fn serve(&self, connection: TcpConnection) -> LocalBoxFuture<'_, ()>;
}

/// Held while a connection is open.
pub type Permit = Box<dyn Any>;

/// Whether a connection may go on.
pub enum Admission {
    Refused,
    Admitted(Option<Permit>),
}

/// Looks at a connection before it is served.
pub trait ConnFilter: Send + Sync + 'static {
    fn admit(&self, peer: IpAddr) -> Admission;
}
