//! One reader per notation, each from text or pairs to a [`Node`](crate::Node).
