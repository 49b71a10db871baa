//! HTTP/1.1 of our own: bytes to the words of `exchange`, and back.
//!
//! [`serve()`] drives a client's connection, [`Connection`] a connection to a server. Knows no configuration, no routes and
//! no sockets (any `AsyncRead + AsyncWrite` will do). A connection that waits for a request holds no buffer: buffers
//! belong to the worker's thread.
//!
//! What must hold: nothing read is believed beyond its framing, nothing written can be read as more than one message, and
//! every buffer has a bound. [`head`], [`chunked`] and [`compose`] are pure; fuzzing enters there.
//!
//! Clients see what Go's `net/http` under Traefik shows them, refusals byte for byte. On purpose it differs in this:
//!
//! - Header lines keep their order; Go sorts them. Only the case of names becomes Go's.
//! - Malformed trailers break a message off; Go ignores them.
//! - A head may have [`ServeOptions::max_headers`] lines; Go counts bytes alone.
//! - An HTTP/1.0 request with a `Transfer-Encoding` ends its connection; Go may keep it.
//! - HTTP/1.0 clients get no 1xx answers, and no content type is guessed after one.
//! - An answer does not wait until the rest of a request's body has come; what is left is read behind it.
//! - Bytes of a query that are no UTF-8 are escaped; Go passes them on.

mod alarm;
mod buffers;
pub mod call;
mod canonical;
pub mod chunked;
pub mod compose;
mod date;
mod drain;
pub mod framing;
pub mod head;
mod inbound;
mod join;
mod outbox;
mod phrase;
pub mod refusal;
pub mod serve;

pub use call::{CallError, CallFailure, CallOptions, Connection};
pub use drain::Drain;
pub use serve::{End, Handler, ServeError, ServeOptions, Served, serve};
