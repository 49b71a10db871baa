//! Functions on numbers. Whole numbers wrap at 64 bits, as Go's do.

use gotmpl::Value;

use super::call::{Answer, Call, Functions, shown, to_float, to_int};

pub(super) const FUNCTIONS: Functions = &[
    ("add", |call| whole(call, 0, i64::wrapping_add)),
    ("add1", |call| Ok(Value::Int(call.exactly(1).and(call.int(0))?.wrapping_add(1)))),
    ("add1f", |call| Ok(Value::Float(call.exactly(1).and(call.float(0))? + 1.0))),
    ("addf", |call| real(call, |one, other| one + other)),
    ("atoi", |call| Ok(Value::Int(call.exactly(1).and(call.text(0))?.parse().unwrap_or(0)))),
    ("biggest", |call| whole(call, i64::MIN, i64::max)),
    ("ceil", |call| Ok(Value::Float(call.exactly(1).and(call.float(0))?.ceil()))),
    ("div", |call| divided(call, i64::checked_div)),
    ("divf", |call| real(call, |one, other| one / other)),
    ("float64", |call| Ok(Value::Float(call.exactly(1).and(call.float(0))?))),
    ("floor", |call| Ok(Value::Float(call.exactly(1).and(call.float(0))?.floor()))),
    ("int", |call| Ok(Value::Int(call.exactly(1).and(call.int(0))?))),
    ("int64", |call| Ok(Value::Int(call.exactly(1).and(call.int(0))?))),
    ("max", |call| whole(call, i64::MIN, i64::max)),
    ("maxf", |call| real(call, f64::max)),
    ("min", |call| whole(call, i64::MAX, i64::min)),
    ("minf", |call| real(call, f64::min)),
    ("mod", |call| divided(call, i64::checked_rem)),
    ("mul", |call| whole(call, 1, i64::wrapping_mul)),
    ("mulf", |call| real(call, |one, other| one * other)),
    ("round", round),
    ("sub", |call| Ok(Value::Int(call.exactly(2).and(call.int(0))?.wrapping_sub(call.int(1)?)))),
    ("subf", |call| real(call, |one, other| one - other)),
    ("toDecimal", |call| Ok(Value::Int(i64::from_str_radix(&shown(&call.exactly(1)?[0]), 8).unwrap_or(0)))),
];

fn whole(call: &Call<'_>, start: i64, step: fn(i64, i64) -> i64) -> Answer {
    Ok(Value::Int(call.at_least(1)?.iter().map(to_int).fold(start, step)))
}

fn real(call: &Call<'_>, step: fn(f64, f64) -> f64) -> Answer {
    Ok(Value::Float(call.at_least(1)?.iter().map(to_float).reduce(step).unwrap_or(0.0)))
}

fn divided(call: &Call<'_>, divide: fn(i64, i64) -> Option<i64>) -> Answer {
    call.exactly(2)?;
    divide(call.int(0)?, call.int(1)?).map(Value::Int).ok_or_else(|| call.fail("integer divide by zero"))
}

/// Rounds to so many decimals; a third argument moves the point from which is rounded up.
fn round(call: &Call<'_>) -> Answer {
    let up_from = if call.between(2, 3)?.len() == 3 { call.float(2)? } else { 0.5 };
    let scale = 10_f64.powi(i32::try_from(call.int(1)?).unwrap_or(0));
    let scaled = call.float(0)? * scale;
    let rounded = if scaled.fract() >= up_from { scaled.ceil() } else { scaled.floor() };
    Ok(Value::Float(rounded / scale))
}
