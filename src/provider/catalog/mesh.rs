//! [`Mesh`]: how the servers of a service mesh are reached, and whom their certificates must name.

use trafficcop_config::dynamic::Configuration;
use trafficcop_config::dynamic::http::{CertificatePair, Http, ServersTransport};
use trafficcop_config::dynamic::tcp::{ServersTransport as TcpTransport, Tcp, TlsClient};

/// What the mesh says of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    /// The name of the transport that all of its servers share.
    pub transport: String,
    /// What the server's certificate must hold, without regard to the trust domain: `spiffe:///ns/default/dc/dc1/svc/web`.
    pub identity: String,
    /// The authorities of the mesh, as PEM.
    pub roots: Vec<String>,
    /// Our own certificate, as PEM.
    pub leaf: CertificatePair,
}

impl Mesh {
    /// Sends what goes to the servers of these services through the mesh.
    pub(super) fn apply(&self, configuration: &mut Configuration) {
        if let Some(http) = configuration.http.as_mut().filter(|http| !http.services.is_empty()) {
            self.apply_to_http(http);
        }
        if let Some(tcp) = configuration.tcp.as_mut().filter(|tcp| !tcp.services.is_empty()) {
            self.apply_to_tcp(tcp);
        }
    }

    fn apply_to_http(&self, http: &mut Http) {
        for balancer in http.services.values_mut().filter_map(|service| service.load_balancer.as_mut()) {
            balancer.servers_transport.clone_from(&self.transport);
            if let Some(server) = balancer.servers.first_mut()
                && let Some((_, rest)) = server.url.split_once("://")
            {
                server.url = format!("https://{rest}");
            }
        }
        let transport = || ServersTransport {
            insecure_skip_verify: true,
            root_cas: self.roots.clone(),
            certificates: vec![self.leaf.clone()],
            peer_cert_uri: self.identity.clone(),
            ..ServersTransport::default()
        };
        http.servers_transports.entry(self.transport.clone()).or_insert_with(|| transport().into());
    }

    fn apply_to_tcp(&self, tcp: &mut Tcp) {
        for balancer in tcp.services.values_mut().filter_map(|service| service.load_balancer.as_mut()) {
            balancer.servers_transport.clone_from(&self.transport);
            if let Some(server) = balancer.servers.first_mut() {
                server.tls = true;
            }
        }
        let tls = || TlsClient {
            insecure_skip_verify: true,
            root_cas: self.roots.clone(),
            certificates: vec![self.leaf.clone()],
            peer_cert_uri: self.identity.clone(),
            ..TlsClient::default()
        };
        let transport = || TcpTransport { tls: Some(tls()), ..TcpTransport::default() };
        tcp.servers_transports.entry(self.transport.clone()).or_insert_with(|| transport().into());
    }
}
