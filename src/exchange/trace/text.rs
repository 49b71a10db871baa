//! [`Text`]: a text that needs no place of its own if it is short, as most of what spans tell is.

use std::fmt;
use std::ops::Deref;

/// Bytes of a text that is short.
const SHORT: usize = 22;

/// See the module.
#[derive(Clone)]
pub struct Text(Kept);

#[derive(Clone)]
enum Kept {
    /// Its length, and itself.
    Here(u8, [u8; SHORT]),
    There(Box<str>),
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut here = [0; SHORT];
        Self(match here.get_mut(..text.len()) {
            Some(room) => {
                room.copy_from_slice(text.as_bytes());
                Kept::Here(text.len() as u8, here)
            }
            None => Kept::There(text.into()),
        })
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Kept::Here(length, here) => std::str::from_utf8(&here[..usize::from(*length)]).unwrap_or_default(),
            Kept::There(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_are_the_same() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 1000] {
            let text = "é".repeat(length / 2) + &"a".repeat(length % 2);
            assert_eq!(&*Text::from(&*text), text);
            assert_eq!(Text::from(&*text).clone(), Text::from(&*text));
        }
        assert!(Text::from("a") != Text::from("b"));
    }
}
