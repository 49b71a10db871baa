//! The expression that says whether a request is sent again.

/// Nesting that is followed.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    All(Box<Self>, Box<Self>),
    Any(Box<Self>, Box<Self>),
    Not(Box<Self>),
    NetworkError,
    Number(Measure, Operator, i64),
    /// The method equals (or not) a text.
    Method(bool, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Attempts,
    ResponseCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

/// What the expression looks at.
pub(super) struct Attempt<'a> {
    pub(super) attempts: u32,
    pub(super) status: u16,
    pub(super) method: &'a str,
}

impl Expression {
    /// The error says what was expected and at which character, counted from 1.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let expression = parser.any()?;
        if parser.rest().is_empty() { Ok(expression) } else { Err(parser.expected("`&&`, `||` or the end")) }
    }

    pub(super) fn holds(&self, attempt: &Attempt<'_>) -> bool {
        match self {
            Self::All(left, right) => left.holds(attempt) && right.holds(attempt),
            Self::Any(left, right) => left.holds(attempt) || right.holds(attempt),
            Self::Not(inner) => !inner.holds(attempt),
            Self::NetworkError => matches!(attempt.status, 502 | 504),
            Self::Method(equal, method) => (attempt.method == method) == *equal,
            Self::Number(measure, operator, with) => {
                let value = match measure {
                    Measure::Attempts => i64::from(attempt.attempts),
                    Measure::ResponseCode => i64::from(attempt.status),
                };
                match operator {
                    Operator::Greater => value > *with,
                    Operator::GreaterOrEqual => value >= *with,
                    Operator::Less => value < *with,
                    Operator::LessOrEqual => value <= *with,
                    Operator::Equal => value == *with,
                    Operator::NotEqual => value != *with,
                }
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expected(&self, what: &str) -> String {
        format!(
            "retryExpression {:?}, character {}: {what} expected",
            self.text,
            self.text[..self.at].chars().count() + 1
        )
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut left = self.all()?;
        while self.take("||") {
            left = Expression::Any(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut left = self.one()?;
        while self.take("&&") {
            left = Expression::All(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.expected("less nesting"));
        }
        let one = if self.take("!") {
            Expression::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let inner = self.any()?;
            if !self.take(")") {
                return Err(self.expected("`)`"));
            }
            inner
        } else if self.take("IsNetworkError()") {
            Expression::NetworkError
        } else if self.take("RequestMethod()") {
            self.method()?
        } else if self.take("Attempts()") {
            self.number(Measure::Attempts)?
        } else if self.take("ResponseCode()") {
            self.number(Measure::ResponseCode)?
        } else {
            return Err(self.expected("Attempts(), ResponseCode(), IsNetworkError() or RequestMethod()"));
        };
        self.depth -= 1;
        Ok(one)
    }

    fn number(&mut self, measure: Measure) -> Result<Expression, String> {
        let found = OPERATORS.iter().find(|(token, _)| self.take(token)).map(|(_, operator)| *operator);
        let operator = found.ok_or_else(|| self.expected("`>`, `>=`, `<`, `<=`, `==` or `!=`"))?;
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest[..length].parse().map_err(|_| self.expected("a number"))?;
        self.at += length;
        Ok(Expression::Number(measure, operator, number))
    }

    fn method(&mut self) -> Result<Expression, String> {
        let equal = self.take("==");
        if !equal && !self.take("!=") {
            return Err(self.expected("`==` or `!=`"));
        }
        let rest = self.rest();
        let quote = rest.chars().next().filter(|quote| *quote == '"' || *quote == '`');
        let inner = quote.and_then(|quote| rest[1..].split_once(quote)).map(|(inner, _)| inner);
        let inner = inner.ok_or_else(|| self.expected("a quoted method"))?;
        self.at += inner.len() + 2;
        Ok(Expression::Method(equal, inner.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, attempts: u32, status: u16, expected: bool) {
        let expression = Expression::parse(text).expect("a good expression");
        assert_eq!(expression.holds(&Attempt { attempts, status, method: "GET" }), expected, "{text}");
    }

    #[test]
    fn attempts_codes_and_methods() {
        check("IsNetworkError() || (ResponseCode() == 500 && Attempts() < 3)", 1, 500, true);
        check("IsNetworkError() || (ResponseCode() == 500 && Attempts() < 3)", 3, 500, false);
        check("IsNetworkError()", 1, 504, true);
        check("!IsNetworkError() && RequestMethod() == `GET`", 1, 200, true);
        check("RequestMethod()!=\"GET\"", 1, 200, false);
    }

    #[test]
    fn errors_say_where() {
        for (text, at) in
            [("", 1), ("Attempts() <", 13), ("Attempts() < 2 )", 16), ("Nope()", 1), ("RequestMethod() == GET", 20)]
        {
            let error = Expression::parse(text).expect_err("a bad expression");
            assert!(error.contains(&format!("character {at}:")), "{error}");
        }
    }
}
