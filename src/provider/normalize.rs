//! Names made from other people's names.

/// Keeps letters and digits and puts `-` between the pieces: `Hello_World.foo` is `Hello-World-foo`.
pub fn normalize(name: &str) -> String {
    let pieces = name.split(|letter: char| !letter.is_alphabetic() && !letter.is_numeric());
    pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("-")
}
