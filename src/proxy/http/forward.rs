//! How requests are forwarded, whichever service they go to.

/// What is the same for every service of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// `global.notAppendXForwardedFor`: do not add the peer's address to `X-Forwarded-For`.
    pub not_append_x_forwarded_for: bool,
}
