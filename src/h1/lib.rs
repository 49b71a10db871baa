//! HTTP/1.1 of our own: bytes to the words of `exchange`, and back.
//!
//! [`serve()`] drives a client's connection, [`Connection`] a connection to a server. Knows no configuration, no routes and
//! no sockets (any `AsyncRead + AsyncWrite` will do). A connection that waits for a request holds no buffer: buffers
//! belong to the worker's thread.

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
