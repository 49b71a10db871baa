//! The TLS half of a QUIC handshake: waits for the whole ClientHello, then goes on under the options and with the
//! certificate that its server name leads to, exactly as over TCP.
//!
//! What must hold: options that are broken, or that leave no TLS 1.3, end the handshake; no name gets other options than
//! it would over TCP. Early data stays off, for anybody can send it twice.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::crypto::{
    self, ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, ServerConfig as _, UnsupportedVersion,
};
use quinn::{ConnectionId, Side, TransportErrorCode};
use quinn_proto::TransportError;
use quinn_proto::transport_parameters::TransportParameters;
use rustls::quic::{Suite, Version};
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig};

use crate::http::Traffic;

/// Most bytes of a ClientHello, as in rustls.
const LONGEST_HELLO: usize = 0xffff;
/// Most bytes of a TLS record.
const RECORD: usize = 16 * 1024;
/// TLS alerts.
const HANDSHAKE_FAILURE: u8 = 40;
const DECODE_ERROR: u8 = 50;
const UNRECOGNIZED_NAME: u8 = 112;

/// What a handshake settled, as far as only this module knows.
#[derive(Clone)]
pub(super) struct Shaken {
    pub(super) server_name: Option<Box<str>>,
    pub(super) options: Arc<str>,
    pub(super) cipher: &'static str,
}

/// Chooses by server name; one per connection, as it knows where that arrived.
pub(super) struct ByName {
    pub(super) traffic: Arc<Traffic>,
    pub(super) local: IpAddr,
    /// Makes the keys of first packets, which do not depend on any options.
    pub(super) plain: Arc<QuicServerConfig>,
}

/// Has no certificate.
#[derive(Debug)]
struct Nothing;

impl ResolvesServerCert for Nothing {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// The suite that protects first packets; QUIC fixes it.
fn initial() -> Option<Suite> {
    rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13()?.quic_suite()
}

/// For what comes before the options are known.
pub(super) fn plain() -> Option<Arc<QuicServerConfig>> {
    let config = ServerConfig::builder_with_provider(Arc::new(trafficcop_tls::provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .ok()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Nothing));
    QuicServerConfig::with_initial(Arc::new(config), initial()?).ok().map(Arc::new)
}

impl crypto::ServerConfig for ByName {
    fn initial_keys(&self, version: u32, dst_cid: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.plain.initial_keys(version, dst_cid)
    }

    fn retry_tag(&self, version: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.plain.retry_tag(version, orig_dst_cid, packet)
    }

    fn start_session(self: Arc<Self>, version: u32, params: &TransportParameters) -> Box<dyn crypto::Session> {
        let inner = Arc::clone(&self.plain).start_session(version, params);
        Box::new(Session { by_name: self, version, params: *params, hello: Vec::new(), inner, shaken: None })
    }
}

struct Session {
    by_name: Arc<ByName>,
    version: u32,
    params: TransportParameters,
    /// The ClientHello, as far as it has come.
    hello: Vec<u8>,
    /// The plain one, which is never fed, until the options are known.
    inner: Box<dyn crypto::Session>,
    shaken: Option<Shaken>,
}

impl Session {
    /// Whether the first message is whole.
    fn is_whole(&self) -> Result<bool, TransportError> {
        let [kind, high, middle, low, ..] = self.hello[..] else { return Ok(false) };
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if kind != 1 || length > LONGEST_HELLO {
            return Err(alert(DECODE_ERROR));
        }
        Ok(self.hello.len() >= 4 + length)
    }

    /// Goes on under the options that the ClientHello leads to.
    fn start(&mut self) -> Result<(), TransportError> {
        let mut acceptor = Acceptor::default();
        for fragment in self.hello.chunks(RECORD) {
            let length = (fragment.len() as u16).to_be_bytes();
            let record = [&[22, 3, 1, length[0], length[1]], fragment].concat();
            let mut rest = &record[..];
            while !rest.is_empty() {
                acceptor.read_tls(&mut rest).map_err(|_| alert(DECODE_ERROR))?;
            }
        }
        let accepted = acceptor.accept().map_err(|_| alert(DECODE_ERROR))?.ok_or_else(|| alert(DECODE_ERROR))?;
        let hello = accepted.client_hello();
        let server_name: Option<Box<str>> = hello.server_name().map(|name| name.to_ascii_lowercase().into());
        let ByName { traffic, local, .. } = &*self.by_name;
        let current = traffic.live.current(traffic.worker);
        let entry = traffic.entry_of(&current).ok_or_else(|| alert(UNRECOGNIZED_NAME))?;
        let options = entry.tls_options.find(server_name.as_deref().unwrap_or(""));
        let Some(resolved) = current.tls.resolve(options, &hello, *local) else {
            tracing::debug!(server_name = server_name.as_deref(), "The TLS options of this name are broken.");
            return Err(alert(UNRECOGNIZED_NAME));
        };
        let mut config = ServerConfig::clone(&resolved.config);
        config.alpn_protocols = vec![b"h3".to_vec()];
        config.max_early_data_size = 0;
        let config = Arc::new(config);
        // Asked beforehand, because a session without TLS 1.3 cannot be made at all.
        if rustls::quic::ServerConnection::new(Arc::clone(&config), Version::V1, Vec::new()).is_err() {
            tracing::debug!(server_name = server_name.as_deref(), "The TLS options of this name allow no TLS 1.3.");
            return Err(alert(HANDSHAKE_FAILURE));
        }
        let suite = initial().ok_or_else(|| alert(HANDSHAKE_FAILURE))?;
        let chosen = QuicServerConfig::with_initial(config, suite).map_err(|_| alert(HANDSHAKE_FAILURE))?;
        self.inner = Arc::new(chosen).start_session(self.version, &self.params);
        self.shaken = Some(Shaken { server_name, options: resolved.options, cipher: "" });
        Ok(())
    }
}

impl crypto::Session for Session {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(dst_cid, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.shaken.clone().map(|shaken| Box::new(shaken) as Box<dyn Any>)
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        None
    }

    fn early_data_accepted(&self) -> Option<bool> {
        None
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        if self.shaken.is_some() {
            return self.inner.read_handshake(buf);
        }
        self.hello.extend_from_slice(buf);
        if !self.is_whole()? {
            return Ok(false);
        }
        self.start()?;
        let hello = std::mem::take(&mut self.hello);
        self.inner.read_handshake(&hello)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.inner.transport_parameters()
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        let start = buf.len();
        let keys = self.inner.write_handshake(buf);
        if let Some(shaken) = &mut self.shaken
            && shaken.cipher.is_empty()
            && let Some(suite) = suite_of(&buf[start..])
        {
            shaken.cipher = trafficcop_tls::parameters::cipher_name(suite);
        }
        keys
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.inner.next_1rtt_keys()
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(orig_dst_cid, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(output, label, context)
    }
}

fn alert(code: u8) -> TransportError {
    TransportErrorCode::crypto(code).into()
}

/// The cipher suite that a ServerHello tells: behind its head, the version, the random bytes and the session's id.
fn suite_of(message: &[u8]) -> Option<CipherSuite> {
    if message.first() != Some(&2) {
        return None;
    }
    let id = usize::from(*message.get(38)?);
    let suite = message.get(39 + id..41 + id)?;
    Some(CipherSuite::from(u16::from_be_bytes([suite[0], suite[1]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suite_is_read_behind_the_id() {
        let hello = |id: u8| [&[2, 0, 0, 40][..], &[0; 34], &[id], &vec![9; id.into()], &[0x13, 0x02]].concat();
        for id in [0, 32] {
            assert_eq!(suite_of(&hello(id)), Some(CipherSuite::TLS13_AES_256_GCM_SHA384));
        }
        assert_eq!(suite_of(&hello(32)[..60]), None);
        assert_eq!(suite_of(&[]), None);
    }
}
