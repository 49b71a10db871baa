//! [`Reason`]: one stable code for every answer that we make ourselves.

/// Why we answered instead of a server. The codes are public: log field, metric label, `X-TrafficCop-Reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No router of the entry point matches.
    NoRoute,
    /// The service has no server at all.
    NoServer,
    /// Every server of the service is down.
    AllServersDown,
    /// The server refused the connection.
    ConnectRefused,
    /// The server could not be reached in time.
    ConnectTimeout,
    /// The server could not be reached for another cause.
    ConnectFailed,
    /// The server closed the connection before its answer.
    ServerClosed,
    /// No answer in time.
    ResponseTimeout,
    /// The server's answer was not HTTP.
    BadResponse,
    /// The client went away.
    ClientClosed,
    /// The request was not acceptable HTTP, or not acceptable here; the text says what.
    BadRequest(&'static str),
    /// The Host header leads to other TLS options than the server name did.
    MisdirectedRequest,
    /// A default-rule router was about to call itself.
    Loop,
    /// A redirection that we made.
    Redirect,
    AuthDenied,
    AuthUnreachable,
    IpDenied,
    RateLimited,
    TooManyInFlight,
    CircuitOpen,
    RequestTooLarge,
    ResponseTooLarge,
    /// A preflight request that the headers middleware answered.
    Preflight,
    /// Answered from inside (API, ping, metrics …).
    Internal,
    /// The process is stopping.
    Stopping,
    /// The maintenance middleware holds the router's requests back.
    Maintenance,
    /// Past a bound of ours.
    Overload,
    /// An error of ours.
    Panic,
}

impl Reason {
    /// The public code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::NoServer => "no_server",
            Self::AllServersDown => "all_servers_down",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectFailed => "connect_failed",
            Self::ServerClosed => "server_closed",
            Self::ResponseTimeout => "response_timeout",
            Self::BadResponse => "bad_response",
            Self::ClientClosed => "client_closed",
            Self::BadRequest(_) => "bad_request",
            Self::MisdirectedRequest => "misdirected_request",
            Self::Loop => "loop",
            Self::Redirect => "redirect",
            Self::AuthDenied => "auth_denied",
            Self::AuthUnreachable => "auth_unreachable",
            Self::IpDenied => "ip_denied",
            Self::RateLimited => "rate_limited",
            Self::TooManyInFlight => "too_many_in_flight",
            Self::CircuitOpen => "circuit_open",
            Self::RequestTooLarge => "request_too_large",
            Self::ResponseTooLarge => "response_too_large",
            Self::Preflight => "preflight",
            Self::Internal => "internal",
            Self::Stopping => "stopping",
            Self::Maintenance => "maintenance",
            Self::Overload => "overload",
            Self::Panic => "panic",
        }
    }
}
