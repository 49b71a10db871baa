//! Why a service or a servers transport could not be built.

/// See the module. Routers that lead to such a service are disabled.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the server URL {url:?} is not usable: {problem}")]
    BadUrl { url: String, problem: String },
    #[error("unsupported load-balancing strategy {0:?}: wrr, p2c, hrw, leasttime, leastconn and random are known")]
    UnknownStrategy(String),
    /// A parent with `healthCheck` over a child that has none.
    #[error("child service {child} of {parent} has no health check, but {parent} has healthCheck enabled")]
    ChildWithoutHealthCheck { parent: String, child: String },
    #[error("{0}")]
    BadStatusRange(String),
    #[error("percent must be between 0 and 100, not {0}")]
    Percent(i64),
    #[error("unknown proxyProtocol version: {0}")]
    ProxyProtocol(i64),
    #[error("static files of {root:?}: {problem}")]
    Files { root: String, problem: String },
    #[error("TLS settings: {0}")]
    Tls(String),
}
