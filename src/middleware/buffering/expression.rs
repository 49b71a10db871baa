//! The expression that says whether a request is sent again.

use crate::expression::{Cursor, Logic, Operator};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression(Logic<Test>);

/// One test of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    NetworkError,
    Number(Measure, Operator, i64),
    /// The method equals (or not) a text.
    Method(bool, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Attempts,
    ResponseCode,
}

/// What the expression looks at.
pub(super) struct Attempt<'a> {
    pub(super) attempts: u32,
    pub(super) status: u16,
    pub(super) method: &'a str,
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Logic::parse("retryExpression", text, test).map(Self)
    }

    pub(super) fn holds(&self, attempt: &Attempt<'_>) -> bool {
        self.0.holds(&|test| test.holds(attempt))
    }
}

impl Test {
    fn holds(&self, attempt: &Attempt<'_>) -> bool {
        match self {
            Self::NetworkError => matches!(attempt.status, 502 | 504),
            Self::Method(equal, method) => (attempt.method == method) == *equal,
            Self::Number(measure, operator, with) => {
                let value = match measure {
                    Measure::Attempts => i64::from(attempt.attempts),
                    Measure::ResponseCode => i64::from(attempt.status),
                };
                operator.compare(&value, with)
            }
        }
    }
}

fn test(cursor: &mut Cursor<'_>) -> Result<Test, String> {
    if cursor.take("IsNetworkError()") {
        Ok(Test::NetworkError)
    } else if cursor.take("RequestMethod()") {
        method(cursor)
    } else if cursor.take("Attempts()") {
        number(cursor, Measure::Attempts)
    } else if cursor.take("ResponseCode()") {
        number(cursor, Measure::ResponseCode)
    } else {
        Err(cursor.expected("Attempts(), ResponseCode(), IsNetworkError() or RequestMethod()"))
    }
}

fn number(cursor: &mut Cursor<'_>, measure: Measure) -> Result<Test, String> {
    let operator = cursor.operator()?;
    Ok(Test::Number(measure, operator, cursor.number(|c| c.is_ascii_digit())?))
}

fn method(cursor: &mut Cursor<'_>) -> Result<Test, String> {
    let equal = cursor.take("==");
    if !equal && !cursor.take("!=") {
        return Err(cursor.expected("`==` or `!=`"));
    }
    let method = cursor.quoted().ok_or_else(|| cursor.expected("a quoted method"))?;
    Ok(Test::Method(equal, method.to_owned()))
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
