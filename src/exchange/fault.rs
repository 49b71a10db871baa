//! [`Fault`]: whose fault, at which stage, may it be tried again. Decisions read it; they never read messages.

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong on the way to an answer.
#[derive(Debug)]
pub struct Fault {
    pub side: Side,
    pub stage: Stage,
    pub source: BoxError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Proxy,
    Upstream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Opening a connection: nothing was sent.
    Connect,
    /// A kept connection turned out to be closed before any byte of an answer came.
    Stale,
    /// Sending the request.
    Send,
    /// Waiting for the head of the answer.
    Wait,
    /// Reading the body of the answer.
    Body,
    /// A deadline passed; what was waited for is told by the reason.
    Timeout,
}

impl Fault {
    pub fn new(side: Side, stage: Stage, source: impl Into<BoxError>) -> Self {
        Self { side, stage, source: source.into() }
    }

    /// The server has certainly not seen the request.
    pub fn is_retryable(&self) -> bool {
        self.side == Side::Upstream && self.stage == Stage::Connect
    }
}
