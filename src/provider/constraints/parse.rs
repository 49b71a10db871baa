//! From text to an expression.

use regex::Regex;
use trafficcop_config::suggest::nearest;

use super::{ConstraintError, Expression, Subject};

/// Parentheses and negations within each other.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    And,
    Or,
    Not,
    Open,
    Close,
    Comma,
}

/// A token and the column of its first character.
type Placed = (Token, usize);

pub(super) fn expression(text: &str, subject: Subject) -> Result<Expression, ConstraintError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.chars().count() + 1, subject, depth: 0 };
    let expression = parser.any()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.unexpected("&&, || or the end")),
    }
}

fn error(column: usize, message: impl Into<String>) -> ConstraintError {
    ConstraintError { column, message: message.into() }
}

fn tokens(text: &str) -> Result<Vec<Placed>, ConstraintError> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let column = at + 1;
        let pair = (letters[at], letters.get(at + 1));
        let (token, length) = match pair {
            (letter, _) if letter.is_whitespace() => {
                at += 1;
                continue;
            }
            ('&', Some('&')) => (Token::And, 2),
            ('|', Some('|')) => (Token::Or, 2),
            ('!', _) => (Token::Not, 1),
            ('(', _) => (Token::Open, 1),
            (')', _) => (Token::Close, 1),
            (',', _) => (Token::Comma, 1),
            ('`' | '"', _) => quoted(&letters[at..], column)?,
            (letter, _) if letter.is_alphanumeric() || letter == '_' => {
                let word: String = letters[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                let length = word.chars().count();
                (Token::Word(word), length)
            }
            (letter, _) => return Err(error(column, format!("unexpected {letter:?}"))),
        };
        tokens.push((token, column));
        at += length;
    }
    Ok(tokens)
}

/// Text in back quotes is taken as it is; in double quotes a backslash takes the next character as it is.
fn quoted(letters: &[char], column: usize) -> Result<(Token, usize), ConstraintError> {
    let quote = letters[0];
    let mut text = String::new();
    let mut rest = letters.iter().enumerate().skip(1);
    while let Some((index, &letter)) = rest.next() {
        match letter {
            _ if letter == quote => return Ok((Token::Text(text), index + 1)),
            '\\' if quote == '"' => match rest.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, &next)) => text.push(next),
                None => break,
            },
            _ => text.push(letter),
        }
    }
    Err(error(column, format!("the text that begins with {quote} does not end")))
}

struct Parser<'a> {
    tokens: &'a [Placed],
    next: usize,
    end: usize,
    subject: Subject,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, column)| *column)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &Token, shown: &str) -> Result<(), ConstraintError> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected(shown)) }
    }

    fn unexpected(&self, expected: &str) -> ConstraintError {
        error(self.column(), format!("expected {expected}"))
    }

    fn any(&mut self) -> Result<Expression, ConstraintError> {
        let mut parts = vec![self.all()?];
        while self.take(&Token::Or) {
            parts.push(self.all()?);
        }
        Ok(single(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, ConstraintError> {
        let mut parts = vec![self.one()?];
        while self.take(&Token::And) {
            parts.push(self.one()?);
        }
        Ok(single(parts, Expression::All))
    }

    fn one(&mut self) -> Result<Expression, ConstraintError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(self.column(), format!("nested more than {MAX_DEPTH} deep")));
        }
        let made = if self.take(&Token::Not) {
            Expression::Not(Box::new(self.one()?))
        } else if self.take(&Token::Open) {
            let inner = self.any()?;
            self.expect(&Token::Close, ")")?;
            inner
        } else {
            self.call()?
        };
        self.depth -= 1;
        Ok(made)
    }

    fn call(&mut self) -> Result<Expression, ConstraintError> {
        let known: &[&str] = match self.subject {
            Subject::Labels => &["Label", "LabelRegex"],
            Subject::Tags => &["Tag", "TagRegex"],
        };
        let column = self.column();
        let Some(Token::Word(name)) = self.peek().cloned() else {
            return Err(self.unexpected(&format!("{}, ! or (", known.join(", "))));
        };
        self.next += 1;
        self.expect(&Token::Open, "(")?;
        let made = match (self.subject, name.as_str()) {
            (Subject::Labels, "Label") => {
                let (key, _) = self.text()?;
                self.expect(&Token::Comma, "a comma and the value")?;
                Expression::Label { key, value: self.text()?.0 }
            }
            (Subject::Labels, "LabelRegex") => {
                let (key, _) = self.text()?;
                self.expect(&Token::Comma, "a comma and the expression")?;
                Expression::LabelRegex { key, pattern: self.pattern()? }
            }
            (Subject::Tags, "Tag") => Expression::Tag(self.text()?.0),
            (Subject::Tags, "TagRegex") => Expression::TagRegex(self.pattern()?),
            _ => {
                let meant = nearest(&name, known.iter().copied())
                    .map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
                return Err(error(
                    column,
                    format!("unsupported function: {name}; there is {}{meant}", known.join(" and ")),
                ));
            }
        };
        self.expect(&Token::Close, ")")?;
        Ok(made)
    }

    fn text(&mut self) -> Result<(String, usize), ConstraintError> {
        let column = self.column();
        let Some(Token::Text(text)) = self.peek().cloned() else { return Err(self.unexpected("text in back quotes")) };
        self.next += 1;
        Ok((text, column))
    }

    fn pattern(&mut self) -> Result<Regex, ConstraintError> {
        let (text, column) = self.text()?;
        Regex::new(&text).map_err(|cause| {
            let cause = cause.to_string();
            error(
                column,
                format!(
                    "not a regular expression: {}",
                    cause.lines().last().unwrap_or(&cause).trim_start_matches("error: ")
                ),
            )
        })
    }
}

fn single(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => join(parts),
    }
}
