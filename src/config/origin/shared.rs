//! [`Shared`]: a value with its place that many hold and few change.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::At;

/// Copies share the value; whoever changes one gets a value of its own first. Most objects of a configuration go from the
/// provider to the snapshot unchanged, and a reload changes few of them, so they are there once.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Shared<T>(Arc<At<T>>);

impl<T> Shared<T> {
    /// Whether both are one and the same value, which says more than that they are equal: places are the same, too.
    pub fn is_one(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_one(other) || self.0 == other.0
    }
}

impl<T> From<At<T>> for Shared<T> {
    fn from(value: At<T>) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        At::from(value).into()
    }
}

impl<T> Deref for Shared<T> {
    type Target = At<T>;
    fn deref(&self) -> &At<T> {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut At<T> {
        Arc::make_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_a_copy_gets_a_value_of_its_own() {
        let first: Shared<String> = "a".to_owned().into();
        let mut second = first.clone();
        assert!(first.is_one(&second));
        second.value.push('b');
        assert!(!first.is_one(&second));
        assert_eq!((first.as_str(), second.as_str()), ("a", "ab"));
        assert_eq!(first, Shared::from("a".to_owned()), "equal, if not the same");
    }
}
