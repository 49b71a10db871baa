//! Static configuration: read once, at start.
