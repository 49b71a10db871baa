//! [`Reason`]: one stable code for every answer that we make ourselves.

use http::StatusCode;

/// A variant, its public code, the statuses it is told with, and what it means: one line for code and documentation.
macro_rules! reasons {
    ($($(#[doc = $about:literal])+ $name:ident = $code:literal $statuses:literal,)+) => {
        /// Why we answered instead of a server. The codes are public: log field, metric label, `X-TrafficCop-Reason`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason { $($(#[doc = $about])+ $name,)+ }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &[Reason] = &[$(Self::$name,)+];

            /// The public code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The statuses it usually comes with, as text.
            pub fn statuses(self) -> &'static str {
                match self { $(Self::$name => $statuses,)+ }
            }

            /// What it means, in a sentence or two.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($about),+).trim_ascii(),)+ }
            }
        }
    };
}

reasons! {
    /// No router of the entry point matches.
    NoRoute = "no_route" "404",
    /// The router whose rule holds is disabled: something in its configuration is wrong. `/api/problems` and `check` say what.
    RouterDisabled = "router_disabled" "404",
    /// The Host header leads to other TLS options than the server name of the handshake did.
    MisdirectedRequest = "misdirected_request" "421",
    /// A router with a default rule was about to call itself.
    Loop = "loop" "400",
    /// The service has no server at all.
    NoServer = "no_server" "503",
    /// Every server of the service is down, by its health checks.
    AllServersDown = "all_servers_down" "503",
    /// The server was taken out (its container stops) while it had the request, and gave no sign of life.
    ContainerStopping = "container_stopping" "502",
    /// The server refused the connection.
    ConnectRefused = "connect_refused" "502",
    /// No connection to the server in time: `dialTimeout`.
    ConnectTimeout = "connect_timeout" "504",
    /// The server could not be reached for another cause: its name, the network, its certificate.
    ConnectFailed = "connect_failed" "502, 500",
    /// The server closed the connection before its answer.
    ServerClosed = "server_closed" "502",
    /// No answer in time: `responseHeaderTimeout`.
    ResponseTimeout = "response_timeout" "504",
    /// What the server sent was not HTTP, or not an answer to what was asked.
    BadResponse = "bad_response" "500",
    /// The client went away.
    ClientClosed = "client_closed" "499",
    /// What came was no HTTP request.
    BadHead = "bad_request:head" "400",
    /// What came breaks the rules of HTTP/2 or HTTP/3; the connection ended, and 400 stands in logs only.
    BadFrames = "bad_request:frames" "400",
    /// HTTP/1.1 without a Host header.
    NoHost = "bad_request:no_host" "400",
    /// A Host header that names no host.
    BadHost = "bad_request:host" "400",
    /// A header's name holds what no name may hold.
    HeaderName = "bad_request:header_name" "400",
    /// A header looks like another one to servers (`X_Real_Ip`), and the entry point refuses those.
    AliasHeader = "bad_request:alias_header" "400",
    /// Neither a path nor a URL was asked for.
    BadTarget = "bad_request:target" "400",
    /// A broken escape or a fragment in the path.
    BadPath = "bad_request:path" "400",
    /// The path holds a character in its encoded form that the entry point or a middleware denies.
    EncodedCharacter = "bad_request:encoded_character" "400",
    /// The path a middleware made would be another one when cleaned.
    RewrittenPath = "bad_request:rewritten_path" "400",
    /// The body broke off or is not framed as it should be.
    BadBody = "bad_request:body" "400, 500",
    /// The body did not come in time: `readTimeout`.
    BodyTimeout = "bad_request:body_timeout" "504",
    /// The host is not among the `allowedHosts` of a `headers` middleware.
    HostNotAllowed = "bad_request:host_not_allowed" "500",
    /// The request cannot be written down for a server.
    Unsendable = "bad_request:unsendable" "500",
    /// CONNECT is for forward proxies.
    Connect = "bad_request:connect" "501",
    /// A transfer encoding other than chunked.
    TransferEncoding = "bad_request:transfer_encoding" "501",
    /// A version of HTTP that is not spoken here.
    Version = "bad_request:version" "505",
    /// An expectation other than `100-continue`.
    Expectation = "bad_request:expectation" "417",
    /// The request's head is past the limit of bytes or lines.
    HeadTooLarge = "head_too_large" "431",
    /// The request's body is past a limit.
    RequestTooLarge = "request_too_large" "413",
    /// The server's answer is past a limit.
    ResponseTooLarge = "response_too_large" "500",
    /// The client wants only what a cache holds, and it holds nothing.
    OnlyIfCached = "only_if_cached" "504",
    /// No encoding that the client accepts.
    NotAcceptable = "not_acceptable" "406",
    /// The user, token or key was missing or wrong, or the asked server said no.
    AuthDenied = "auth_denied" "401, 403",
    /// Who was to be asked about the user gave no answer.
    AuthUnreachable = "auth_unreachable" "500, 503",
    /// The client's address is not allowed.
    IpDenied = "ip_denied" "403",
    /// Too many requests of this source in a time.
    RateLimited = "rate_limited" "429",
    /// The counts of a rate limit could not be read, and requests are then denied.
    LimitUnreachable = "limit_unreachable" "500",
    /// Too many requests of this source at once.
    TooManyInFlight = "too_many_in_flight" "429",
    /// The circuit breaker holds requests back.
    CircuitOpen = "circuit_open" "503",
    /// The maintenance middleware holds the router's requests back.
    Maintenance = "maintenance" "503",
    /// Too many requests at once, or too little memory: `core.maxRequests`, `core.memoryLimit`.
    Overload = "overload" "503",
    /// A redirection that we made.
    Redirect = "redirect" "301, 302, 307, 308",
    /// A preflight request that was answered for the service.
    Preflight = "preflight" "200",
    /// The query of an `errors` middleware does not make a request.
    ErrorPage = "error_page" "that of the answer",
    /// Static files: there is none of that name.
    NoFile = "no_file" "404",
    /// Static files: neither GET nor HEAD.
    MethodNotAllowed = "method_not_allowed" "405",
    /// Answered from inside: API, ping, metrics, `OPTIONS *`.
    Internal = "internal" "any",
    /// A file could not be read, or another mishap of ours.
    Failed = "failed" "500",
    /// A mistake in this program. The log has more.
    Panic = "panic" "500",
}

impl Reason {
    /// The header that tells the code, where the settings ask for it.
    pub const HEADER: &str = "X-TrafficCop-Reason";

    /// The status that gRPC callers are told, as they would make it of this HTTP status. None: it is no failure.
    pub fn grpc_status(self, status: StatusCode) -> Option<u8> {
        if matches!(self, Self::Redirect | Self::Preflight | Self::Internal) {
            return None;
        }
        Some(match status.as_u16() {
            400 | 431 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            499 => 1,
            _ => 2,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_words_and_no_two_are_the_same() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let is_word = |code: &&str| code.bytes().all(|byte| byte.is_ascii_lowercase() || b"_:".contains(&byte));
        assert!(codes.iter().all(is_word), "{codes:?}");
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }

    #[test]
    fn grpc_callers_hear_what_they_would_have_made_of_the_status() {
        assert_eq!(Reason::NoRoute.grpc_status(StatusCode::NOT_FOUND), Some(12));
        assert_eq!(Reason::ConnectRefused.grpc_status(StatusCode::BAD_GATEWAY), Some(14));
        assert_eq!(Reason::Redirect.grpc_status(StatusCode::FOUND), None);
    }
}
