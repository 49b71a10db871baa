//! Regular expressions as Go writes them.
