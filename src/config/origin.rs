//! Where a piece of configuration was written, so that every error can say so.

mod at;
mod shared;

use std::fmt;
use std::sync::Arc;

pub use at::At;
pub use shared::Shared;

/// The place of one piece of configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Made by the program itself, or read from a notation that has no places.
    #[default]
    Unknown,
    /// A position in a file. Lines and columns count from 1.
    File { file: Arc<str>, line: u32, column: u32 },
    /// A label or tag; `owner` is the name of a container, or the words that introduce the label of something else:
    /// `service web, tag`.
    Label { owner: Arc<str>, label: Arc<str> },
    /// A key of a key-value store.
    Key { store: Arc<str>, key: Arc<str> },
    /// A command line flag, without its dashes.
    Flag(Arc<str>),
    /// An environment variable.
    Variable(Arc<str>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("(no place)"),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Label { owner, label } if owner.contains(' ') => write!(f, "{owner} {label}"),
            Self::Label { owner, label } => write!(f, "container {owner}, label {label}"),
            Self::Key { store, key } => write!(f, "{store}, key {key}"),
            Self::Flag(flag) => write!(f, "flag --{flag}"),
            Self::Variable(variable) => write!(f, "variable {variable}"),
        }
    }
}
