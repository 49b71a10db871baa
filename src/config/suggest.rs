//! What was probably meant: the nearest of the names that exist.
