//! Functions on the words of a text: their case, their initials, where lines break.

use super::call::{Answer, Call, Functions, string};

pub(super) const FUNCTIONS: Functions = &[
    ("abbrev", |call| call.exactly(2).and(string(abbreviated(0, call.int(0)?, call.text(1)?)))),
    ("abbrevboth", |call| call.exactly(3).and(string(abbreviated(call.int(0)?, call.int(1)?, call.text(2)?)))),
    ("camelcase", |call| call.exactly(1).and(string(camel(call.text(0)?)))),
    ("initials", initials),
    ("kebabcase", |call| call.exactly(1).and(string(parted(call.text(0)?, '-')))),
    ("snakecase", |call| call.exactly(1).and(string(parted(call.text(0)?, '_')))),
    ("swapcase", |call| call.exactly(1).and(string(swapped(call.text(0)?)))),
    ("title", |call| {
        call.exactly(1).and(string(first_letters(call.text(0)?, |letter| letter.to_uppercase().collect())))
    }),
    ("untitle", |call| {
        call.exactly(1).and(string(first_letters(call.text(0)?, |letter| letter.to_lowercase().collect())))
    }),
    ("wrap", |call| call.exactly(2).and(string(wrapped(call.int(0)?, "\n", call.text(1)?)))),
    ("wrapWith", |call| call.exactly(3).and(string(wrapped(call.int(0)?, call.text(1)?, call.text(2)?)))),
];

/// Applies `change` to the first letter of each word; words are parted by anything but letters, digits and `_'`.
fn first_letters(text: &str, change: impl Fn(char) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for letter in text.chars() {
        let in_word = letter.is_alphanumeric() || letter == '_' || letter == '\'';
        if in_word && !inside {
            out.push_str(&change(letter));
        } else {
            out.push(letter);
        }
        inside = in_word;
    }
    out
}

fn initials(call: &Call<'_>) -> Answer {
    call.exactly(1)?;
    string(call.text(0)?.split_whitespace().filter_map(|word| word.chars().next()).collect::<String>())
}

/// Words of a name, by case and by what is neither letter nor digit: `HTTPServer` is `http server`.
fn parted(text: &str, separator: char) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 4);
    for (index, &letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            if !out.is_empty() && !out.ends_with(separator) {
                out.push(separator);
            }
            continue;
        }
        let before = index.checked_sub(1).map(|index| letters[index]);
        let after = letters.get(index + 1);
        let begins = letter.is_uppercase() && before.is_some_and(|before| before.is_lowercase() || before.is_numeric())
            || letter.is_uppercase()
                && before.is_some_and(char::is_uppercase)
                && after.is_some_and(|after| after.is_lowercase());
        if begins && !out.is_empty() && !out.ends_with(separator) {
            out.push(separator);
        }
        out.extend(letter.to_lowercase());
    }
    out.trim_end_matches(separator).to_owned()
}

fn camel(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut raise = false;
    for letter in text.chars() {
        if matches!(letter, '_' | '-' | ' ' | '.') {
            raise = !out.is_empty();
        } else if raise {
            out.extend(letter.to_uppercase());
            raise = false;
        } else if out.is_empty() {
            out.extend(letter.to_lowercase());
        } else {
            out.push(letter);
        }
    }
    out
}

/// Upper case becomes lower; lower case becomes title case at the start of a word and upper case inside.
fn swapped(text: &str) -> String {
    let swap = |letter: char| -> String {
        if letter.is_uppercase() { letter.to_lowercase().collect() } else { letter.to_uppercase().collect() }
    };
    text.chars().map(swap).collect()
}

/// Keeps `width` characters, counting the dots that stand for what was left out; `offset` asks to leave out the start.
fn abbreviated(offset: i64, width: i64, text: &str) -> String {
    match (usize::try_from(offset), usize::try_from(width)) {
        (Ok(offset), Ok(width)) => shortened(offset, width, text),
        _ => text.to_owned(),
    }
}

fn shortened(offset: usize, width: usize, text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let length = letters.len();
    let mut offset = offset.min(length);
    let too_small = width < 4 || (offset > 0 && width < 7);
    if too_small || length <= width {
        return text.to_owned();
    }
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    let part = |from: usize, to: usize| letters[from..to].iter().collect::<String>();
    if offset <= 4 {
        return format!("{}...", part(0, width - 3));
    }
    if offset + width - 3 < length {
        return format!("...{}", shortened(0, width - 3, &part(offset, length)));
    }
    format!("...{}", part(length - (width - 3), length))
}

fn wrapped(width: i64, line_end: &str, text: &str) -> String {
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let mut out = String::with_capacity(text.len() + 8);
    let mut column = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push_str(line_end);
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}
