//! The first bytes of a connection: is it TLS, and for whom?
//!
//! Pure: the caller reads and keeps the bytes (they are replayed to whoever serves the connection), this looks at them
//! from the beginning each time. What must hold: no bytes make it panic, its work and memory are bounded, and what it
//! accepts is what a strict TLS server would accept too, so that nobody is routed by a name that the handshake then sees
//! differently.

use std::borrow::Cow;

use crate::path::lossy;

/// How many bytes may come before the answer must be settled; more is [`Hello::Broken`].
pub const MAX_HELLO: usize = 72 << 10;

/// How long the message may be, without the headers of its records.
const MAX_MESSAGE: usize = 64 << 10;

/// How long a record may be.
const MAX_RECORD: usize = 16 << 10;

/// Over how many records the message may be spread. Honest clients need a handful.
const MAX_RECORDS: usize = 256;

const RECORD_HANDSHAKE: u8 = 0x16;
const MESSAGE_CLIENT_HELLO: u8 = 1;
const EXTENSION_SERVER_NAME: u16 = 0;
const EXTENSION_ALPN: u16 = 16;

/// The first byte of a hello of SSL 2, as far as one can tell.
const SSL2: u8 = 0x80;

/// What the bytes so far say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// A beginning; read more.
    Incomplete,
    /// The connection does not speak TLS.
    NotTls,
    /// It begins like TLS and goes on otherwise. Such a connection is closed.
    Broken,
    Found(ClientHello),
}

/// The parts of a ClientHello that routes look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// Lower-case; empty when the client named none.
    pub server_name: String,
    /// In the order of the client.
    pub alpn: Vec<Vec<u8>>,
}

/// Looks at all bytes that a connection has sent so far.
pub fn read(bytes: &[u8]) -> Hello {
    match bytes.first() {
        None => Hello::Incomplete,
        Some(&RECORD_HANDSHAKE) => match message(bytes) {
            Ok(Some(message)) => client_hello(&message).map_or(Hello::Broken, Hello::Found),
            Ok(None) if bytes.len() < MAX_HELLO => Hello::Incomplete,
            Ok(None) | Err(Broken) => Hello::Broken,
        },
        // The handshake will refuse it; a route that passes everything through may still have it.
        Some(&SSL2) => Hello::Found(ClientHello::default()),
        Some(_) => Hello::NotTls,
    }
}

#[derive(Debug)]
struct Broken;

/// The body of the first handshake message, put together from its records; `None` while some of it is missing.
fn message(bytes: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Broken> {
    let mut rest = bytes;
    let mut whole: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    for count in 0..MAX_RECORDS {
        let Some((header, behind)) = rest.split_first_chunk::<5>() else { return Ok(None) };
        let [kind, major, _, high, low] = *header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if kind != RECORD_HANDSHAKE || major >= 0x10 || length == 0 || length > MAX_RECORD {
            return Err(Broken);
        }
        let fragment = &behind[..length.min(behind.len())];
        if count == 0 {
            whole = Cow::Borrowed(fragment);
        } else {
            whole.to_mut().extend_from_slice(fragment);
        }
        if let Some(wanted) = message_length(&whole)?
            && whole.len() >= 4 + wanted
        {
            return Ok(Some(match whole {
                Cow::Borrowed(whole) => Cow::Borrowed(&whole[4..4 + wanted]),
                Cow::Owned(mut whole) => {
                    whole.truncate(4 + wanted);
                    whole.drain(..4);
                    Cow::Owned(whole)
                }
            }));
        }
        if behind.len() <= length {
            return Ok(None);
        }
        rest = &behind[length..];
    }
    Err(Broken)
}

/// What the header of the message says, if it is there.
fn message_length(message: &[u8]) -> Result<Option<usize>, Broken> {
    match *message {
        [kind, ..] if kind != MESSAGE_CLIENT_HELLO => Err(Broken),
        [_, a, b, c, ..] => {
            let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            if length > MAX_MESSAGE { Err(Broken) } else { Ok(Some(length)) }
        }
        _ => Ok(None),
    }
}

fn client_hello(message: &[u8]) -> Option<ClientHello> {
    let mut hello = ClientHello::default();
    let mut reader = Reader(message);
    // The version and the random bytes.
    reader.take(2 + 32)?;
    let session = reader.short()?;
    let suites = reader.long()?;
    reader.short()?;
    if session.0.len() > 32 || !suites.0.len().is_multiple_of(2) {
        return None;
    }
    if reader.is_empty() {
        return Some(hello);
    }
    let mut extensions = reader.long()?;
    if !reader.is_empty() {
        return None;
    }
    let mut kinds = Vec::new();
    while !extensions.is_empty() {
        let kind = extensions.number()?;
        let mut data = extensions.long()?;
        match kind {
            EXTENSION_SERVER_NAME => hello.server_name = server_name(&mut data)?,
            EXTENSION_ALPN => hello.alpn = protocols(&mut data)?,
            _ => {}
        }
        kinds.push(kind);
    }
    // The same extension twice: who is meant?
    kinds.sort_unstable();
    kinds.is_sorted_by(|a, b| a < b).then_some(hello)
}

fn server_name(data: &mut Reader<'_>) -> Option<String> {
    let mut names = data.long()?;
    if names.is_empty() || !data.is_empty() {
        return None;
    }
    let mut found = None;
    while !names.is_empty() {
        let is_host = names.take(1)? == [0];
        let name = names.long()?.0;
        if !is_host {
            continue;
        }
        if name.is_empty() || name.ends_with(b".") || found.replace(name).is_some() {
            return None;
        }
    }
    Some(lossy(found.unwrap_or_default().trim_ascii().to_ascii_lowercase()))
}

fn protocols(data: &mut Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let mut list = data.long()?;
    if list.is_empty() || !data.is_empty() {
        return None;
    }
    let mut protocols = Vec::new();
    while !list.is_empty() {
        let protocol = list.short()?.0;
        if protocol.is_empty() {
            return None;
        }
        protocols.push(protocol.to_vec());
    }
    Some(protocols)
}

/// Bytes that are still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// What a length of one byte announces.
    fn short(&mut self) -> Option<Reader<'a>> {
        let count = self.take(1)?[0];
        self.take(usize::from(count)).map(Reader)
    }

    /// What a length of two bytes announces.
    fn long(&mut self) -> Option<Reader<'a>> {
        let count = self.number()?;
        self.take(usize::from(count)).map(Reader)
    }
}

#[cfg(test)]
mod tests;
