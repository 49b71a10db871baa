//! Addresses and ranges of clients.
