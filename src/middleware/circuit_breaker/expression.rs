//! The expression that opens a circuit.

use super::metrics::Metrics;

/// Nesting that is followed.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    All(Box<Self>, Box<Self>),
    Any(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(Measure, Operator, f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    NetworkErrorRatio,
    ResponseCodeRatio([usize; 4]),
    LatencyAtQuantileMs(f64),
    RequestThreshold,
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

impl Expression {
    /// The error says what was expected and at which character, counted from 1.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let expression = parser.any()?;
        if parser.rest().is_empty() { Ok(expression) } else { Err(parser.expected("`&&`, `||` or the end")) }
    }

    pub(super) fn holds(&self, metrics: &Metrics) -> bool {
        match self {
            Self::All(left, right) => left.holds(metrics) && right.holds(metrics),
            Self::Any(left, right) => left.holds(metrics) || right.holds(metrics),
            Self::Not(inner) => !inner.holds(metrics),
            Self::Compare(measure, operator, with) => operator.compare(measure.value(metrics), *with),
        }
    }
}

impl Measure {
    fn value(self, metrics: &Metrics) -> f64 {
        match self {
            Self::NetworkErrorRatio => metrics.network_error_ratio(),
            Self::ResponseCodeRatio(ranges) => metrics.code_ratio(ranges),
            Self::LatencyAtQuantileMs(quantile) => metrics.latency_ms(quantile),
            Self::RequestThreshold => metrics.total() as f64,
        }
    }
}

impl Operator {
    #[allow(clippy::float_cmp)] // the user wrote ==, and ratios such as 0 and 1 are exact
    fn compare(self, left: f64, right: f64) -> bool {
        match self {
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
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
        format!("expression {:?}, character {}: {what} expected", self.text, self.text[..self.at].chars().count() + 1)
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
        } else {
            let measure = self.measure()?;
            let operator = self.operator()?;
            Expression::Compare(measure, operator, self.number()?)
        };
        self.depth -= 1;
        Ok(one)
    }

    fn measure(&mut self) -> Result<Measure, String> {
        let rest = self.rest();
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len())];
        let start = self.at;
        self.at += name.len();
        if !self.take("(") {
            self.at = start;
            return Err(self
                .expected("NetworkErrorRatio(), ResponseCodeRatio(…), LatencyAtQuantileMS(…) or RequestThreshold()"));
        }
        let mut arguments = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() && !self.take(",") {
                return Err(self.expected("`,` or `)`"));
            }
            arguments.push(self.number()?);
        }
        match (name, arguments.as_slice()) {
            ("NetworkErrorRatio", []) => Ok(Measure::NetworkErrorRatio),
            ("RequestThreshold", []) => Ok(Measure::RequestThreshold),
            ("LatencyAtQuantileMS", [quantile]) => Ok(Measure::LatencyAtQuantileMs(*quantile)),
            ("ResponseCodeRatio", [a, b, c, d]) => {
                Ok(Measure::ResponseCodeRatio([a, b, c, d].map(|code| *code as usize)))
            }
            _ => {
                self.at = start;
                Err(self.expected("NetworkErrorRatio(), ResponseCodeRatio(from, to, from, to), LatencyAtQuantileMS(quantile) or RequestThreshold()"))
            }
        }
    }

    fn operator(&mut self) -> Result<Operator, String> {
        let operators = [
            (">=", Operator::GreaterOrEqual),
            ("<=", Operator::LessOrEqual),
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            (">", Operator::Greater),
            ("<", Operator::Less),
        ];
        let found = operators.iter().find(|(token, _)| self.take(token)).map(|(_, operator)| *operator);
        found.ok_or_else(|| self.expected("`>`, `>=`, `<`, `<=`, `==` or `!=`"))
    }

    fn number(&mut self) -> Result<f64, String> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(rest.len());
        let number = rest[..length].parse().map_err(|_| self.expected("a number"))?;
        self.at += length;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn fails(text: &str, at: usize) {
        let error = Expression::parse(text).expect_err("a bad expression");
        assert!(error.contains(&format!("character {at}:")), "{error}");
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let ratio = |with| Box::new(Expression::Compare(Measure::NetworkErrorRatio, Operator::Greater, with));
        let parsed = Expression::parse("NetworkErrorRatio() > 1||NetworkErrorRatio()>2 && NetworkErrorRatio() > 0.3");
        assert_eq!(parsed, Ok(Expression::Any(ratio(1.0), Box::new(Expression::All(ratio(2.0), ratio(0.3))))));
        assert!(
            Expression::parse("!(LatencyAtQuantileMS(50.0) <= 50) && ResponseCodeRatio(500, 600, 0, 600) != 0").is_ok()
        );
    }

    #[test]
    fn errors_say_where() {
        fails("", 1);
        fails("NetworkErrorRatio() >", 22);
        fails("NetworkErrorRatio(1) > 1", 1);
        fails("NetworkErrorRatio() > 1 )", 25);
        fails("(NetworkErrorRatio() > 1", 25);
        fails(&"(".repeat(500), 65);
    }
}
