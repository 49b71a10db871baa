//! What decoding tolerates, and that every mistake is found with its place.

mod limits;
mod mistakes;
mod tolerance;

use crate::dynamic::Configuration;
use crate::read::{Format, document};
use crate::{ConfigErrors, Node};

fn yaml(text: &str) -> Node {
    document(text, Format::Yaml, "f.yml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn decode(text: &str) -> Result<Configuration, ConfigErrors> {
    yaml(text).decode()
}
