//! Where a piece of configuration was written, so that every error can say so.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// The place of one piece of configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Made by the program itself, or read from a notation that has no places.
    #[default]
    Unknown,
    /// A position in a file. Lines and columns count from 1.
    File { file: Arc<str>, line: u32, column: u32 },
    /// A label of a container, task or service; `owner` is its name.
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
            Self::Label { owner, label } => write!(f, "container {owner}, label {label}"),
            Self::Key { store, key } => write!(f, "{store}, key {key}"),
            Self::Flag(flag) => write!(f, "flag --{flag}"),
            Self::Variable(variable) => write!(f, "variable {variable}"),
        }
    }
}

/// A value with its place. Two values are equal whatever their places: a moved line is not a change.
#[derive(Clone, Debug, Default)]
pub struct At<T> {
    pub value: T,
    pub at: Origin,
}

impl<T> At<T> {
    pub fn new(value: T, at: Origin) -> Self {
        Self { value, at }
    }
}

impl<T> From<T> for At<T> {
    fn from(value: T) -> Self {
        Self { value, at: Origin::Unknown }
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for At<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
