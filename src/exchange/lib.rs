//! The words of traffic: one request and its answer.
//!
//! Both HTTP engines (our HTTP/1.1 and HTTP/2 on `h2`) speak these types, so middlewares and services never know which
//! one runs. Knows no configuration, no sockets (only tokio's I/O traits, for upgrades).

pub mod body;
pub mod chain;
pub mod conditions;
mod connection;
mod exchange;
pub mod fault;
pub mod headers;
mod known_name;
mod line;
pub mod reason;
pub mod reply;
mod request;
mod response;
pub mod target;
mod tcp;
pub mod trace;
mod udp;

pub use body::{Body, BodyError, BodyStream, Frame};
pub use chain::{Around, Chain, Filter, Flow, LocalBoxFuture, Next, Service, Step};
pub use connection::{ConnectionInfo, TlsInfo};
pub use exchange::{Exchange, Interim, Origin, RouteInfo, ServerInfo};
pub use fault::{BoxError, Fault, Side, Stage};
pub use headers::{Headers, Spelled};
pub use http::{Method, StatusCode, Version};
pub use known_name::KnownName;
pub use line::Line;
pub use reason::Reason;
pub use request::Request;
pub use response::{Duplex, Response};
pub use target::Target;
pub use tcp::{Admission, ConnFilter, Permit, TcpConnection, TcpService};
pub use trace::Trace;
pub use udp::{UdpFilter, UdpService};
