//! [`EntryPoint`]: an entry point's settings, compiled once for all of its connections.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use trafficcop_config::settings;
use trafficcop_config::settings::entry_points::AliasHeaders;
use trafficcop_h1::ServeOptions;

use crate::forwarded::Forwarded;
use crate::trust::{BadNetwork, Trusted};

/// Bytes of a request's head unless told otherwise.
const DEFAULT_HEAD_BYTES: usize = 1 << 20;

/// Limits of HTTP/2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Http2Limits {
    pub(crate) streams: u32,
    pub(crate) decoder_table: u32,
}

/// An option whose value makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum BadEntryPoint {
    #[error("forwardedHeaders.trustedIPs: {0}")]
    Forwarded(BadNetwork),
    #[error("proxyProtocol.trustedIPs: {0}")]
    ProxyProtocol(BadNetwork),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct EntryPoint {
    pub(crate) name: Arc<str>,
    pub(crate) http1: ServeOptions,
    pub(crate) http2: Http2Limits,
    pub(crate) alias_headers: AliasHeaders,
    pub(crate) sanitize_path: bool,
    pub(crate) encode_semicolons: bool,
    pub(crate) forwarded: Forwarded,
    /// Whose PROXY header is believed; None: the protocol is not spoken.
    pub(crate) proxy_protocol: Option<Trusted>,
    /// How long a UDP session may be silent.
    pub(crate) udp_timeout: Duration,
    /// What answers over TLS say of HTTP/3, where it is served.
    pub(crate) alt_svc: Option<Bytes>,
    /// How long requests are still accepted after the signal to stop.
    pub(crate) accept_grace: Duration,
    /// How long requests in flight may then take.
    pub(crate) grace: Duration,
    /// Browsers are told why an answer is not a server's, by these settings.
    pub(crate) pages: Option<Arc<settings::Settings>>,
}

impl EntryPoint {
    pub(crate) fn new(name: &str, settings: &settings::EntryPoint, shows_reasons: bool) -> Result<Self, BadEntryPoint> {
        let (http, transport) = (&settings.http, &settings.transport);
        let timeouts = &transport.responding_timeouts;
        // As in Go, zero and less mean the default.
        let max_head_bytes = usize::try_from(http.max_header_bytes).ok().filter(|bytes| *bytes > 0);
        let proxy_protocol = settings
            .proxy_protocol
            .as_ref()
            .map(|proxy| Trusted::new(proxy.insecure, &proxy.trusted_ips).map_err(BadEntryPoint::ProxyProtocol));
        Ok(Self {
            name: name.into(),
            http1: ServeOptions {
                max_head_bytes: max_head_bytes.unwrap_or(DEFAULT_HEAD_BYTES),
                read_timeout: timeouts.read_timeout.positive(),
                write_timeout: timeouts.write_timeout.positive(),
                idle_timeout: timeouts.idle_timeout.positive(),
                keep_alive_max_requests: u64::try_from(transport.keep_alive_max_requests).unwrap_or(0),
                keep_alive_max_time: transport.keep_alive_max_time.positive().unwrap_or_default(),
                shows_reasons,
                ..ServeOptions::default()
            },
            http2: Http2Limits {
                streams: u32::try_from(settings.http2.max_concurrent_streams).unwrap_or(250).max(1),
                decoder_table: u32::try_from(settings.http2.max_decoder_header_table_size).unwrap_or(4096),
            },
            alias_headers: http.alias_headers(),
            sanitize_path: http.sanitize_path,
            encode_semicolons: http.encode_query_semicolons,
            forwarded: Forwarded::new(&settings.forwarded_headers).map_err(BadEntryPoint::Forwarded)?,
            proxy_protocol: proxy_protocol.transpose()?,
            udp_timeout: settings.udp.timeout.positive().unwrap_or(Duration::from_secs(3)),
            alt_svc: None,
            accept_grace: transport.life_cycle.request_accept_grace_timeout.positive().unwrap_or_default(),
            grace: transport.life_cycle.grace_time_out.positive().unwrap_or_default(),
            pages: None,
        })
    }

    /// Tells clients where HTTP/3 is served: the port that was bound, unless another is reached from outside.
    #[cfg(feature = "http3")]
    pub(crate) fn advertise(&mut self, http3: &settings::entry_points::Http3, bound: u16) {
        let port = u16::try_from(http3.advertised_port).ok().filter(|port| *port > 0).unwrap_or(bound);
        self.alt_svc = Some(format!("h3=\":{port}\"; ma=2592000").into());
    }
}
