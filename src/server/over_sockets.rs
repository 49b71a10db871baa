//! The server over real sockets, with a snapshot made by hand.

mod http1;
mod http2;
mod stopping;
mod support;
mod tls;
