//! The first bytes of a connection: is it TLS, and for whom? Pure: the caller reads, this looks.

/// How many bytes a caller must be ready to hold before the answer is settled.
pub const MAX_HELLO: usize = 64 * 1024;

/// What the bytes so far say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// A beginning; read more.
    Incomplete,
    /// Not TLS, or TLS that is broken or too long.
    NotTls,
    Found(ClientHello),
}

/// The parts of a ClientHello that routes look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// Lower-case; empty when the client named none.
    pub server_name: String,
    /// In the order of the client.
    pub alpn: Vec<Vec<u8>>,
}

/// Looks at the first bytes of a connection.
pub fn read(_bytes: &[u8]) -> Hello {
    Hello::Incomplete
}
