//! Entry points: the sockets on which traffic comes in, and what holds for all of it.

use super::section::section;
use crate::address::BadAddress;
use crate::dynamic::Domain;
use crate::{Duration, EntryAddress};

section! {
    /// One entry point.
    pub struct EntryPoint {
        /// Where to listen: [host]:port[/tcp|/udp].
        pub address: String = String::new(),
        /// Lets user routers answer the ACME HTTP challenge's path.
        pub allow_acme_by_pass as "allowACMEByPass": bool = false,
        /// Shares the port with other processes.
        pub reuse_port: bool = false,
        /// Serves routers that name no entry point.
        pub as_default: bool = false,
        pub transport: Transport = Transport::default(),
        /// Expects the PROXY protocol from trusted peers.
        pub proxy_protocol: Option<ProxyProtocol> = None,
        pub forwarded_headers: ForwardedHeaders = ForwardedHeaders::default(),
        pub http: Http = Http::default(),
        pub http2: Http2 = Http2::default(),
        /// Serves HTTP/3 on the UDP port of the same number.
        pub http3: Option<Http3> = None,
        pub udp: Udp = Udp::default(),
        pub observability: Observability = Observability::default(),
    }

    /// Deadlines and limits of connections.
    pub struct Transport {
        pub life_cycle: LifeCycle = LifeCycle::default(),
        pub responding_timeouts: RespondingTimeouts = RespondingTimeouts::default(),
        /// Time after which a kept-alive connection is closed; zero means never.
        pub keep_alive_max_time: Duration = Duration::ZERO,
        /// Requests after which a kept-alive connection is closed; zero means never.
        pub keep_alive_max_requests: i64 = 0,
    }

    /// What happens between the signal to stop and the end.
    pub struct LifeCycle {
        /// Time during which requests are still accepted after the signal.
        pub request_accept_grace_timeout: Duration = Duration::ZERO,
        /// Time that requests in flight get to finish.
        pub grace_time_out: Duration = Duration::from_secs(10),
    }

    /// Deadlines towards clients; zero means none.
    pub struct RespondingTimeouts {
        /// Time to read a whole request, body included.
        pub read_timeout: Duration = Duration::from_secs(60),
        /// Time to write an answer.
        pub write_timeout: Duration = Duration::ZERO,
        /// Time a kept-alive connection may stay silent.
        pub idle_timeout: Duration = Duration::from_secs(180),
    }

    /// From whom a PROXY protocol head is believed.
    pub struct ProxyProtocol {
        /// Believes every peer.
        pub insecure: bool = false,
        /// Believes these addresses and networks.
        pub trusted_ips as "trustedIPs": Vec<String> = Vec::new(),
    }

    /// From whom X-Forwarded-* headers are believed.
    pub struct ForwardedHeaders {
        /// Believes every peer.
        pub insecure: bool = false,
        /// Believes these addresses and networks.
        pub trusted_ips as "trustedIPs": Vec<String> = Vec::new(),
        /// Headers that a client's Connection header may name and keep.
        pub connection: Vec<String> = Vec::new(),
        /// Leaves X-Forwarded-For without the peer's address.
        pub not_append_x_forwarded_for as "notAppendXForwardedFor": bool = false,
    }

    /// What holds for every HTTP request.
    pub struct Http {
        pub redirections: Redirections = Redirections::default(),
        /// Middlewares that run before those of the router.
        pub middlewares: Vec<String> = Vec::new(),
        /// TLS for routers that say nothing about it.
        pub tls: Option<Tls> = None,
        pub encoded_characters: EncodedCharacters = EncodedCharacters::default(),
        /// Escapes the semicolons of queries.
        pub encode_query_semicolons: bool = false,
        /// Removes dot segments and doubled slashes from paths.
        pub sanitize_path: bool = true,
        /// Most bytes of a request's head.
        pub max_header_bytes: i64 = 1_048_576,
        /// What is done to headers whose name can be taken for another: keep, delete or reject.
        pub alias_headers_strategy: String = String::new(),
        /// Deprecated: aliasHeadersStrategy.
        pub underscore_headers_strategy: String = String::new(),
    }

    /// Redirections of everything that arrives.
    pub struct Redirections {
        /// Redirects to another entry point or port.
        pub entry_point: Option<RedirectEntryPoint> = None,
    }

    /// A redirection to another entry point or port.
    pub struct RedirectEntryPoint {
        /// Name of an entry point, or :port.
        pub to: String = String::new(),
        /// Scheme of the new address.
        pub scheme: String = "https".into(),
        /// Answers 301/308 instead of 302/307.
        pub permanent: bool = true,
        /// Priority of the redirecting router.
        pub priority: i64 = i64::MAX - 1,
    }

    /// TLS that an entry point gives to its routers.
    pub struct Tls {
        /// Name of the TLS options.
        pub options: String = String::new(),
        /// Name of the certificates resolver.
        pub cert_resolver: String = String::new(),
        /// Names of the certificates the resolver is asked for.
        pub domains: Vec<Domain> = Vec::new(),
    }

    /// Which escaped characters a path may hold.
    pub struct EncodedCharacters {
        /// Accepts %2F.
        pub allow_encoded_slash: bool = true,
        /// Accepts %5C.
        pub allow_encoded_back_slash: bool = true,
        /// Accepts %00.
        pub allow_encoded_null_character: bool = true,
        /// Accepts %3B.
        pub allow_encoded_semicolon: bool = true,
        /// Accepts %25.
        pub allow_encoded_percent: bool = true,
        /// Accepts %3F.
        pub allow_encoded_question_mark: bool = true,
        /// Accepts %23.
        pub allow_encoded_hash: bool = true,
    }

    /// Limits of HTTP/2.
    pub struct Http2 {
        /// Requests at the same time on one connection.
        pub max_concurrent_streams: i32 = 250,
        /// Most bytes of the table that decodes headers.
        pub max_decoder_header_table_size: i32 = 4096,
        /// Most bytes of the table that encodes headers.
        pub max_encoder_header_table_size: i32 = 4096,
    }

    /// HTTP/3.
    pub struct Http3 {
        /// Port told to clients; zero means that of the address.
        pub advertised_port: i64 = 0,
    }

    /// UDP.
    pub struct Udp {
        /// Silence after which a session ends.
        pub timeout: Duration = Duration::from_secs(3),
    }

    /// What is observed of routers that say nothing about it.
    pub struct Observability {
        /// Writes access logs.
        pub access_logs: bool = true,
        /// Counts metrics.
        pub metrics: bool = true,
        /// Traces requests.
        pub tracing: bool = true,
        /// How much is traced: minimal or detailed.
        pub trace_verbosity: String = "minimal".into(),
    }
}

impl EntryPoint {
    /// The address to listen on. Cannot fail once the settings were validated.
    pub fn listen(&self) -> Result<EntryAddress, BadAddress> {
        self.address.parse()
    }
}

/// What is done to headers whose name can be taken for another: `X_Real_Ip` and `X.Real.Ip` for `X-Real-Ip`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AliasHeaders {
    pub strategy: AliasStrategy,
    /// Whether every letter counts that servers are known to turn into a dash, or the underscore alone.
    pub every_alias: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AliasStrategy {
    #[default]
    Keep,
    /// The header is dropped.
    Delete,
    /// The request is answered 400.
    Reject,
}

impl AliasHeaders {
    /// Whether a header of this name is one of those.
    pub fn concerns(self, name: &str) -> bool {
        if self.every_alias {
            name.bytes().any(|byte| !byte.is_ascii_alphanumeric() && byte != b'-')
        } else {
            name.contains('_')
        }
    }
}

impl Http {
    /// The option under its new or its old name; nothing or nonsense (refused when the settings are validated) keeps.
    pub fn alias_headers(&self) -> AliasHeaders {
        let every_alias = !self.alias_headers_strategy.is_empty();
        let written = if every_alias { &self.alias_headers_strategy } else { &self.underscore_headers_strategy };
        let strategy = match written.as_str() {
            "delete" => AliasStrategy::Delete,
            "reject" => AliasStrategy::Reject,
            _ => AliasStrategy::Keep,
        };
        AliasHeaders { strategy, every_alias }
    }
}

#[cfg(test)]
mod tests {
    use super::{AliasStrategy, Http};

    #[track_caller]
    fn check(new: &str, old: &str, strategy: AliasStrategy, concerned: &[&str]) {
        let http =
            Http { alias_headers_strategy: new.into(), underscore_headers_strategy: old.into(), ..Http::default() };
        let found = http.alias_headers();
        let names = ["X-Foo", "Xfoo9", "X_Foo", "X.Foo", "X~Foo"];
        let names: Vec<&str> = names.into_iter().filter(|name| found.concerns(name)).collect();
        assert_eq!((found.strategy, names.as_slice()), (strategy, concerned));
    }

    #[test]
    fn the_new_option_knows_more_aliases_than_the_old() {
        check("", "", AliasStrategy::Keep, &["X_Foo"]);
        check("", "delete", AliasStrategy::Delete, &["X_Foo"]);
        check("reject", "", AliasStrategy::Reject, &["X_Foo", "X.Foo", "X~Foo"]);
        check("delete", "delete", AliasStrategy::Delete, &["X_Foo", "X.Foo", "X~Foo"]);
    }
}
