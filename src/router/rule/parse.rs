//! Tokens → tree of calls. `!` binds tightest, then `&&`, then `||`.

use std::ops::Range;

use super::lex::{Kind, Token, tokens};
use super::{Rule, RuleError};

/// How deep parentheses and negations may be nested.
const MAX_DEPTH: usize = 100;

/// A matcher with its arguments, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Where the name stands, in bytes.
    pub(crate) span: Range<usize>,
    pub(crate) arguments: Vec<Argument>,
}

/// The value of a string literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Argument {
    pub(crate) value: String,
    /// Where the literal stands, in bytes.
    pub(crate) span: Range<usize>,
}

/// Reads a whole rule. What the matchers are called and take is not looked at.
pub(crate) fn calls(source: &str) -> Result<Rule<Call>, RuleError> {
    let mut parser = Parser { source, tokens: tokens(source)?, at: 0, depth: 0 };
    let rule = parser.any()?;
    // One line break may stand behind the rule.
    let is_behind_break = usize::from(parser.peek().kind == Kind::Break);
    match parser.tokens[parser.at + is_behind_break].kind {
        Kind::End => Ok(rule),
        _ => Err(parser.unexpected("`&&`, `||` or the end of the rule")),
    }
}

struct Parser<'a> {
    source: &'a str,
    /// Ends with [`Kind::End`], which is never consumed.
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Rule<Call>, RuleError> {
        let first = self.all()?;
        let mut rules = vec![first];
        while self.take(&Kind::Or) {
            rules.push(self.all()?);
        }
        Ok(only(rules, Rule::Any))
    }

    fn all(&mut self) -> Result<Rule<Call>, RuleError> {
        let first = self.operand()?;
        let mut rules = vec![first];
        while self.take(&Kind::And) {
            rules.push(self.operand()?);
        }
        Ok(only(rules, Rule::All))
    }

    fn operand(&mut self) -> Result<Rule<Call>, RuleError> {
        let mut is_negated = false;
        while self.take(&Kind::Not) {
            is_negated = !is_negated;
        }
        let rule = self.group_or_call()?;
        Ok(if is_negated { Rule::Not(Box::new(rule)) } else { rule })
    }

    fn group_or_call(&mut self) -> Result<Rule<Call>, RuleError> {
        let token = self.peek().clone();
        match token.kind {
            Kind::Open => {
                self.at += 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(self.error(&token, "the rule is nested too deeply"));
                }
                let rule = self.any()?;
                self.close("`&&`, `||` or `)`")?;
                self.depth -= 1;
                Ok(rule)
            }
            Kind::Name(name) => {
                self.at += 1;
                if !self.take(&Kind::Open) {
                    return Err(self.unexpected(&format!("`(` behind `{name}`")));
                }
                Ok(Rule::Is(Call { name, span: token.start..token.end, arguments: self.arguments()? }))
            }
            Kind::Text(_) => {
                Err(self.error(&token, "text alone is no rule").expecting(Some("a matcher, such as Host(`…`)")))
            }
            _ => Err(self.unexpected("a matcher, such as Host(`…`), `!` or `(`")),
        }
    }

    /// The arguments behind the opening parenthesis. A comma may stand behind the last one.
    fn arguments(&mut self) -> Result<Vec<Argument>, RuleError> {
        let mut arguments = Vec::new();
        loop {
            let token = self.peek().clone();
            match token.kind {
                Kind::Close => {
                    self.at += 1;
                    return Ok(arguments);
                }
                Kind::Text(value) => arguments.push(Argument { value, span: token.start..token.end }),
                Kind::Name(_) => {
                    let error = self.error(&token, "an argument must be text in quotes");
                    return Err(error.expecting(Some("back quotes or double quotes around it")));
                }
                _ => return Err(self.unexpected("text in back quotes or double quotes, or `)`")),
            }
            self.at += 1;
            let is_last = self.take(&Kind::Ellipsis);
            if !self.take(&Kind::Comma) || is_last {
                self.close("`,` or `)`")?;
                return Ok(arguments);
            }
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn take(&mut self, kind: &Kind) -> bool {
        let is_there = self.peek().kind == *kind;
        self.at += usize::from(is_there);
        is_there
    }

    fn close(&mut self, expected: &str) -> Result<(), RuleError> {
        if self.take(&Kind::Close) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn error(&self, token: &Token, message: &str) -> RuleError {
        RuleError::at(self.source, token.start..token.end, message)
    }

    fn unexpected(&self, expected: &str) -> RuleError {
        let token = self.peek();
        match token.kind {
            Kind::End if self.source.trim().is_empty() => self.error(token, "the rule is empty"),
            Kind::End => self.error(token, "the rule ends too early"),
            Kind::Break => {
                let expected = "the line to end with `&&`, `||`, `(` or `,` when the rule goes on";
                return self.error(token, "the line break ends the rule").expecting(Some(expected));
            }
            _ => {
                let found = &self.source[token.start..token.end];
                self.error(token, &format!("unexpected `{found}`"))
            }
        }
        .expecting(Some(expected))
    }
}

/// One rule stays itself, several are joined.
fn only(mut rules: Vec<Rule<Call>>, join: impl FnOnce(Box<[Rule<Call>]>) -> Rule<Call>) -> Rule<Call> {
    match rules.len() {
        1 => rules.pop().expect("there is one"),
        _ => join(rules.into()),
    }
}
