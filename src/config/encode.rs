//! From typed models back to [`Node`](crate::Node).
