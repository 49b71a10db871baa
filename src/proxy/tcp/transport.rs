//! [`Transport`]: how a TCP server is reached.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use trafficcop_config::dynamic::tcp::{ProxyProtocol, ServersTransport, TlsClient};
use trafficcop_exchange::Duplex;
use trafficcop_tls::{ClientTls, client_config};

use super::proxy_protocol::{self, Version};
use crate::BuildError;

/// How long to dial where the settings set no limit, and how long a server may take over a handshake.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a client of Postgres asks for TLS.
const POSTGRES_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// See the module.
pub struct Transport {
    dial_timeout: Duration,
    keep_alive: Option<Duration>,
    proxy_protocol: Option<Version>,
    /// What the second direction gets once the first has ended; None: as long as it takes.
    pub(super) termination_delay: Option<Duration>,
    tls: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
}

/// On whose behalf a connection is opened.
pub(super) struct Client {
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) asks_postgres: bool,
}

impl Transport {
    /// Reads certificates: for the control plane.
    pub fn new(settings: &ServersTransport) -> Result<Self, BuildError> {
        let tls = settings.tls.clone().unwrap_or_default();
        let name = tls.server_name.clone();
        let server_name = match name.as_str() {
            "" => None,
            name => Some(ServerName::try_from(name.to_owned()).map_err(|error| BuildError::Tls(error.to_string()))?),
        };
        Ok(Self {
            dial_timeout: settings.dial_timeout.positive().unwrap_or(PATIENCE),
            keep_alive: settings.dial_keep_alive.positive(),
            proxy_protocol: settings.proxy_protocol.as_ref().map(version).transpose()?,
            termination_delay: u64::try_from(settings.termination_delay.as_nanos()).ok().map(Duration::from_nanos),
            tls: client_config(&client_tls(tls)?).map_err(|error| BuildError::Tls(error.to_string()))?,
            server_name,
        })
    }

    /// A connection to `address`, all that comes before the client's own bytes being done.
    pub(super) async fn dial(&self, address: &str, tls: bool, client: &Client) -> io::Result<Box<dyn Duplex>> {
        let mut stream = self.open(address).await?;
        let prepared = async {
            if let Some(version) = self.proxy_protocol {
                stream.write_all(&proxy_protocol::header(version, client.peer, client.local)).await?;
            }
            if client.asks_postgres {
                stream.write_all(&POSTGRES_REQUEST).await?;
                if stream.read_u8().await? != b'S' {
                    return Err(io::Error::other("the Postgres server refuses TLS"));
                }
            }
            if !tls {
                return Ok::<Box<dyn Duplex>, io::Error>(Box::new(stream));
            }
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
            let name = match &self.server_name {
                Some(name) => name.clone(),
                None => ServerName::try_from(host.to_owned()).map_err(io::Error::other)?,
            };
            Ok(Box::new(TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?))
        };
        tokio::time::timeout(PATIENCE, prepared).await?
    }

    /// A bare connection.
    pub(super) async fn open(&self, address: &str) -> io::Result<TcpStream> {
        let stream = tokio::time::timeout(self.dial_timeout, TcpStream::connect(address)).await??;
        // Without either the connection works, only less well.
        let _best_effort = stream.set_nodelay(true);
        if let Some(interval) = self.keep_alive {
            let keep_alive = socket2::TcpKeepalive::new().with_time(interval).with_interval(interval);
            let _best_effort = socket2::SockRef::from(&stream).set_tcp_keepalive(&keep_alive);
        }
        Ok(stream)
    }
}

fn version(settings: &ProxyProtocol) -> Result<Version, BuildError> {
    match settings.version {
        1 => Ok(Version::One),
        2 => Ok(Version::Two),
        other => Err(BuildError::ProxyProtocol(other)),
    }
}

fn client_tls(tls: TlsClient) -> Result<ClientTls, BuildError> {
    if tls.spiffe.is_some() {
        return Err(BuildError::Tls("SPIFFE is not available in this build".into()));
    }
    Ok(ClientTls {
        server_name: tls.server_name,
        insecure_skip_verify: tls.insecure_skip_verify,
        root_cas: tls.root_cas,
        certificates: tls.certificates,
        peer_cert_uri: tls.peer_cert_uri,
        ..ClientTls::default()
    })
}
