//! YAML, by the rules of the library that Traefik reads it with: plain scalars keep their text unless they are a
//! number, a boolean or null in plain spelling; `<<` merges; a key written twice is an error; only the first document
//! of a stream counts.

mod build;
mod quick;
mod scalar;
pub(super) use scalar::number;
#[cfg(test)]
mod tests;

use serde_yaml::granit_parser::{Event, Options, Parser, ScanError};

use crate::{ConfigErrors, Node, Origin};
use build::Builder;

/// Reads the first document of `text`. `file` is what its places are called. An empty document is a null node.
pub fn read(text: &str, file: &str) -> Result<Node, ConfigErrors> {
    match quick::read(text, file) {
        Ok(node) => Ok(node),
        Err(quick::Unusual) => read_any(text, file),
    }
}

/// Reads the text if it is plain, see [`quick`]: then each line says how far in it is, and nothing goes on in the next.
pub(crate) fn plain(text: &str, file: &str) -> Option<Node> {
    quick::read(text, file).ok()
}

/// Reads whatever YAML there is, by the library.
fn read_any(text: &str, file: &str) -> Result<Node, ConfigErrors> {
    let mut options = Options::default();
    options.emit_comments = false;
    options.emit_unresolved_aliases = true;
    let mut builder = Builder::new(file);
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((Event::DocumentEnd, _)) => break,
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => {
                builder.refuse(place(&error, file), error.info());
                break;
            }
        }
        if builder.is_full() {
            break;
        }
    }
    builder.finish()
}

fn place(error: &ScanError, file: &str) -> Origin {
    let marker = error.marker();
    Origin::File { file: file.into(), line: marker.line() as u32, column: marker.col() as u32 + 1 }
}
