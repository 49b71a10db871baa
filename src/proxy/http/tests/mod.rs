//! What crosses several files, over sockets on loopback.

mod grpc_health;
mod h2;
mod health;
mod nested;
mod slow;
mod streams;
mod tls;
mod via;
