//! Text → tokens, as Go reads an expression: its white space, its comments, its two kinds of string literals, and its
//! habit of ending an expression at a line break behind a complete operand.

use super::RuleError;

/// A token and where it begins, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name(String),
    Text(String),
    Open,
    Close,
    Comma,
    /// Behind the last argument it changes nothing.
    Ellipsis,
    And,
    Or,
    Not,
    /// A line break behind something that could be the end of the rule.
    Break,
    End,
}

impl Kind {
    /// Go ends an expression at a line break behind one of these.
    fn may_end_rule(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Text(_) | Self::Close)
    }
}

/// All tokens; the last one is [`Kind::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, RuleError> {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new() };
    // A byte order mark in front means nothing.
    if source.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    while lexer.next()? {}
    lexer.push(Kind::End, source.len());
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    /// Adds the next token, if there is one.
    fn next(&mut self) -> Result<bool, RuleError> {
        let start = self.at;
        let rest = &self.source[start..];
        let Some(first) = rest.chars().next() else { return Ok(false) };
        match first {
            '\n' => {
                self.at += 1;
                self.line_break(start);
            }
            ' ' | '\t' | '\r' => self.at += 1,
            '/' if rest.starts_with("//") => self.at += rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => {
                let length =
                    rest.find("*/").ok_or_else(|| self.error(start, 2, "a comment is not closed", Some("`*/`")))?;
                self.at += length + 2;
                if rest[..length].contains('\n') {
                    self.line_break(start);
                }
            }
            '(' => self.symbol(Kind::Open, 1),
            ')' => self.symbol(Kind::Close, 1),
            ',' => self.symbol(Kind::Comma, 1),
            '.' if rest.starts_with("...") => self.symbol(Kind::Ellipsis, 3),
            '!' if !rest.starts_with("!=") => self.symbol(Kind::Not, 1),
            '&' if rest.starts_with("&&") => self.symbol(Kind::And, 2),
            '|' if rest.starts_with("||") => self.symbol(Kind::Or, 2),
            '&' => return Err(self.error(start, 1, "a single `&` is no operator", Some("`&&`"))),
            '|' => return Err(self.error(start, 1, "a single `|` is no operator", Some("`||`"))),
            '`' => self.raw_text()?,
            '"' => self.quoted_text()?,
            '\'' => {
                let expected = "back quotes or double quotes around the text";
                return Err(self.error(start, 1, "text cannot stand in single quotes", Some(expected)));
            }
            _ if is_name_start(first) => {
                let length = rest.find(|c: char| !is_name_start(c) && !c.is_numeric()).unwrap_or(rest.len());
                self.at += length;
                self.push(Kind::Name(rest[..length].to_owned()), start);
            }
            _ => {
                let message = format!("`{}` has no meaning in a rule", first.escape_debug());
                return Err(self.error(start, first.len_utf8(), &message, None));
            }
        }
        Ok(true)
    }

    fn symbol(&mut self, kind: Kind, length: usize) {
        let start = self.at;
        self.at += length;
        self.push(kind, start);
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.tokens.push(Token { kind, start, end: self.at });
    }

    fn line_break(&mut self, start: usize) {
        if self.tokens.last().is_some_and(|token| token.kind.may_end_rule()) {
            self.push(Kind::Break, start);
        }
    }

    /// Between back quotes everything stands for itself, but carriage returns, which Go drops.
    fn raw_text(&mut self) -> Result<(), RuleError> {
        let start = self.at;
        let inner = &self.source[start + 1..];
        let length =
            inner.find('`').ok_or_else(|| self.error(start, 1, "text is not closed", Some("a closing back quote")))?;
        self.at += length + 2;
        self.push(Kind::Text(inner[..length].replace('\r', "")), start);
        Ok(())
    }

    fn quoted_text(&mut self) -> Result<(), RuleError> {
        let start = self.at;
        let mut text = Vec::new();
        self.at += 1;
        loop {
            let rest = &self.source[self.at..];
            match rest.chars().next() {
                Some('"') => break,
                Some('\\') => self.escape(&mut text)?,
                None | Some('\n') => {
                    return Err(self.error(start, 1, "text is not closed", Some("a closing double quote")));
                }
                Some(other) => {
                    text.extend_from_slice(&rest.as_bytes()[..other.len_utf8()]);
                    self.at += other.len_utf8();
                }
            }
        }
        self.at += 1;
        let text = String::from_utf8(text).map_err(|_| {
            self.error(start, self.at - start, "the text is not UTF-8", Some("escapes that make UTF-8"))
        })?;
        self.push(Kind::Text(text), start);
        Ok(())
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), RuleError> {
        let start = self.at;
        let bytes = self.source.as_bytes();
        let kind = bytes.get(start + 1).copied().unwrap_or_default();
        let (digits, radix, is_byte) = match kind {
            b'x' => (2, 16, true),
            b'u' => (4, 16, false),
            b'U' => (8, 16, false),
            b'0'..=b'7' => (3, 8, true),
            _ => {
                let Some(byte) = simple_escape(kind) else {
                    let expected = r#"one of \\ \" \a \b \f \n \r \t \v \x \u \U; or back quotes, in which a backslash stands for itself"#;
                    return Err(self.error(start, 2, "unknown escape in text", Some(expected)));
                };
                text.push(byte);
                self.at += 2;
                return Ok(());
            }
        };
        let from = start + if radix == 8 { 1 } else { 2 };
        let number = (bytes.get(from..from + digits))
            .filter(|number| number.iter().all(|digit| char::from(*digit).is_digit(radix)))
            .and_then(|number| std::str::from_utf8(number).ok())
            .and_then(|number| u32::from_str_radix(number, radix).ok());
        let broken = |lexer: &Self| lexer.error(start, 2, "an escape in text is not complete or out of range", None);
        let number = number.ok_or_else(|| broken(self))?;
        if is_byte {
            text.push(u8::try_from(number).map_err(|_| broken(self))?);
        } else {
            let letter = char::from_u32(number).ok_or_else(|| broken(self))?;
            text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.at = from + digits;
        Ok(())
    }

    fn error(&self, start: usize, length: usize, message: &str, expected: Option<&str>) -> RuleError {
        RuleError::at(self.source, start..start + length, message).expecting(expected)
    }
}

fn is_name_start(letter: char) -> bool {
    letter == '_' || letter.is_alphabetic()
}

fn simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' => b'\\',
        b'"' => b'"',
        _ => return None,
    })
}
