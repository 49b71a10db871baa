//! Waiting longer after each failure, with jitter.
