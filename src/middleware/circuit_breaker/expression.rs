//! The expression that opens a circuit.

use super::metrics::Metrics;
use crate::expression::{Cursor, Logic, Operator};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression(Logic<Test>);

/// One comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Test {
    measure: Measure,
    operator: Operator,
    with: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    NetworkErrorRatio,
    ResponseCodeRatio([usize; 4]),
    LatencyAtQuantileMs(f64),
    RequestThreshold,
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let test = |cursor: &mut Cursor<'_>| {
            let measure = measure(cursor)?;
            let operator = cursor.operator()?;
            Ok(Test { measure, operator, with: number(cursor)? })
        };
        Logic::parse("expression", text, test).map(Self)
    }

    pub(super) fn holds(&self, metrics: &Metrics) -> bool {
        self.0.holds(&|test| test.operator.compare(&test.measure.value(metrics), &test.with))
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

fn number(cursor: &mut Cursor<'_>) -> Result<f64, String> {
    cursor.number(|c| c.is_ascii_digit() || c == '.' || c == '-')
}

fn measure(cursor: &mut Cursor<'_>) -> Result<Measure, String> {
    let start = cursor.mark();
    let name = cursor.take_while(|c| c.is_ascii_alphanumeric());
    if !cursor.take("(") {
        cursor.back(start);
        return Err(
            cursor.expected("NetworkErrorRatio(), ResponseCodeRatio(…), LatencyAtQuantileMS(…) or RequestThreshold()")
        );
    }
    let mut arguments = Vec::new();
    while !cursor.take(")") {
        if !arguments.is_empty() && !cursor.take(",") {
            return Err(cursor.expected("`,` or `)`"));
        }
        arguments.push(number(cursor)?);
    }
    match (name, arguments.as_slice()) {
        ("NetworkErrorRatio", []) => Ok(Measure::NetworkErrorRatio),
        ("RequestThreshold", []) => Ok(Measure::RequestThreshold),
        ("LatencyAtQuantileMS", [quantile]) => Ok(Measure::LatencyAtQuantileMs(*quantile)),
        ("ResponseCodeRatio", [a, b, c, d]) => Ok(Measure::ResponseCodeRatio([a, b, c, d].map(|code| *code as usize))),
        _ => {
            cursor.back(start);
            Err(cursor.expected("NetworkErrorRatio(), ResponseCodeRatio(from, to, from, to), LatencyAtQuantileMS(quantile) or RequestThreshold()"))
        }
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
        let ratio = |with| {
            let measure = Measure::NetworkErrorRatio;
            Box::new(Logic::Is(Test { measure, operator: Operator::Greater, with }))
        };
        let parsed = Expression::parse("NetworkErrorRatio() > 1||NetworkErrorRatio()>2 && NetworkErrorRatio() > 0.3");
        assert_eq!(parsed, Ok(Expression(Logic::Any(ratio(1.0), Box::new(Logic::All(ratio(2.0), ratio(0.3)))))));
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
