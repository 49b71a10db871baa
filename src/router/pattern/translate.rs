//! Go's words → the words of the `regex` crate.

use super::PatternError;
use super::class;

/// The most that Go repeats anything.
const MAX_REPEAT: u32 = 1000;

pub(super) fn translate(pattern: &str) -> Result<String, PatternError> {
    let mut reader = Reader { pattern, at: 0 };
    let mut out = String::with_capacity(pattern.len() + 16);
    // Where the last repetition ended: Go refuses two in a row.
    let mut repeated_at = None;
    // Flags that wait: a repetition behind them still belongs to what is before them.
    let mut flags = String::new();
    while let Some(letter) = reader.peek() {
        let start = reader.at;
        if let Some(length) = repetition(reader.rest()).map_err(|message| reader.error(start, message))? {
            if repeated_at == Some(start) {
                return Err(reader.error(start, "a repetition cannot be repeated"));
            }
            out.push_str(&reader.rest()[..length]);
            reader.at += length;
            if reader.peek() == Some('?') {
                reader.next();
                out.push('?');
            }
            repeated_at = Some(reader.at);
            continue;
        }
        if let Some(length) = flags_alone(reader.rest()) {
            let text = &reader.rest()[..length];
            flags.push_str(if text == "(?)" { "" } else { text });
            reader.at += length;
            // Go would then repeat the repetition. Nobody can mean that, and here it would read as a lazy one.
            repeated_at = repeated_at.filter(|at| *at == start).map(|_| reader.at);
            continue;
        }
        out.push_str(&std::mem::take(&mut flags));
        match letter {
            '\\' => atom(&mut reader, &mut out)?,
            '[' => class::bracketed(&mut reader, &mut out)?,
            '(' => group(&mut reader, &mut out)?,
            // Braces that count nothing stand for themselves.
            '{' | '}' | ']' => literal(&mut reader, &mut out),
            _ => {
                reader.next();
                out.push(letter);
            }
        }
    }
    out.push_str(&flags);
    Ok(out)
}

fn literal(reader: &mut Reader<'_>, out: &mut String) {
    if let Some(letter) = reader.next() {
        push_literal(letter, out);
    }
}

/// A letter that stands for itself, outside and inside brackets.
pub(super) fn push_literal(letter: char, out: &mut String) {
    out.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
}

/// The length of the repetition with which the text begins, if it does.
fn repetition(text: &str) -> Result<Option<usize>, &'static str> {
    match text.as_bytes().first() {
        Some(b'*' | b'+' | b'?') => Ok(Some(1)),
        Some(b'{') => match counts(text) {
            Some((_, most)) if most.is_none_or(|most| most > MAX_REPEAT) => Err("a repetition is limited to 1000"),
            counts => Ok(counts.map(|(length, _)| length)),
        },
        _ => Ok(None),
    }
}

/// The length of `(?flags)`, if the text begins with that.
fn flags_alone(text: &str) -> Option<usize> {
    let flags = text.strip_prefix("(?")?;
    let length = flags.find(|c| !is_flag(c))?;
    flags[length..].starts_with(')').then_some(2 + length + 1)
}

fn is_flag(letter: char) -> bool {
    "imsU-".contains(letter)
}

/// The length of `{n}`, `{n,}` or `{n,m}` at the beginning of the text, and its largest number; `None` inside stands for
/// one that is out of range.
fn counts(text: &str) -> Option<(usize, Option<u32>)> {
    let inner = &text[1..text.find('}')?];
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Go takes no number with a leading zero here.
    let is_plain = |text: &str| is_number(text) && (text == "0" || !text.starts_with('0'));
    if !is_plain(least) || !(most.is_empty() || is_plain(most)) {
        return None;
    }
    let largest = if most.is_empty() { least } else { most };
    Some((
        inner.len() + 2,
        least.parse::<u32>().ok().zip(largest.parse().ok()).map(|(least, largest)| least.max(largest)),
    ))
}

/// `(`, `(?P<name>`, `(?<name>` or `(?flags:`.
fn group(reader: &mut Reader<'_>, out: &mut String) -> Result<(), PatternError> {
    let start = reader.at;
    let Some(special) = reader.rest().strip_prefix("(?") else {
        reader.next();
        out.push('(');
        return Ok(());
    };
    if ["=", "!", "<=", "<!"].iter().any(|look| special.starts_with(look)) {
        return Err(reader.error(start, "looking ahead or behind is not possible"));
    }
    let end = if special.starts_with("P<") || special.starts_with('<') {
        special.find('>')
    } else {
        special.find(|c| !is_flag(c)).filter(|end| special[*end..].starts_with(':'))
    };
    let Some(end) = end else { return Err(reader.error(start, "there is no such kind of group")) };
    let length = 2 + end + 1;
    out.push_str(&reader.rest()[..length]);
    reader.at += length;
    Ok(())
}

/// What follows a backslash, outside of brackets.
fn atom(reader: &mut Reader<'_>, out: &mut String) -> Result<(), PatternError> {
    let start = reader.at;
    match reader.rest()[1..].chars().next() {
        Some('Q') => {
            let text = &reader.rest()[2..];
            let length = text.find("\\E").unwrap_or(text.len());
            out.push_str(&regex::escape(&text[..length]));
            reader.at += (2 + length + 2).min(reader.rest().len());
        }
        Some('A' | 'z') => {
            out.push_str(&reader.rest()[..2]);
            reader.at += 2;
        }
        // Words are ASCII in Go.
        Some('b') => {
            out.push_str(r"(?-u:\b)");
            reader.at += 2;
        }
        Some('B') => {
            out.push_str(r"(?-u:\B)");
            reader.at += 2;
        }
        Some('C') => return Err(reader.error(start, r"`\C` is not possible")),
        _ if class::named(reader, out)? => {}
        _ => push_literal(reader.escaped()?, out),
    }
    Ok(())
}

/// A pattern and how far it was read.
pub(super) struct Reader<'a> {
    pattern: &'a str,
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.pattern[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    pub(super) fn error(&self, at: usize, message: &str) -> PatternError {
        PatternError { at: Some(at.min(self.pattern.len())), message: message.to_owned() }
    }

    /// The letter for which the escape at this place stands.
    pub(super) fn escaped(&mut self) -> Result<char, PatternError> {
        let start = self.at;
        self.next();
        let Some(letter) = self.next() else { return Err(self.error(start, "the pattern ends with a backslash")) };
        let number = match letter {
            'a' => 0x07,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            'x' => self.hexadecimal(start)?,
            '0'..='7' => {
                let digits = self.rest().bytes().take(2).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
                if letter != '0' && digits == 0 {
                    return Err(self.error(start, "a reference to a group is not possible"));
                }
                self.at += digits;
                let text = &self.pattern[start + 1..self.at];
                u32::from_str_radix(text, 8).map_err(|_| self.error(start, "an escape is out of range"))?
            }
            _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => return Ok(letter),
            _ => return Err(self.error(start, &format!("there is no escape `\\{letter}`"))),
        };
        char::from_u32(number).ok_or_else(|| self.error(start, "an escape is out of range"))
    }

    /// Behind `\x`: two digits, or any number of them in braces.
    fn hexadecimal(&mut self, start: usize) -> Result<u32, PatternError> {
        let rest = self.rest();
        let (digits, length) = match rest.strip_prefix('{') {
            Some(inner) => inner.find('}').map(|end| (&inner[..end], end + 2)),
            None => rest.get(..2).map(|digits| (digits, 2)),
        }
        .ok_or_else(|| self.error(start, "an escape is not complete"))?;
        self.at += length;
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = is_number.then(|| u32::from_str_radix(digits, 16).ok()).flatten();
        number.ok_or_else(|| self.error(start, "an escape is out of range"))
    }
}
