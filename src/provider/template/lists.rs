//! Functions on lists.

use gotmpl::{TemplateError, Value};

use super::call::{Answer, Call, Functions, list, same, shown, string};

pub(super) const FUNCTIONS: Functions = &[
    ("append", append),
    ("chunk", chunk),
    ("compact", |call| list(call.list(0)?.iter().filter(|item| item.is_truthy()).cloned())),
    ("concat", concat),
    ("first", |call| Ok(call.list(0)?.first().cloned().unwrap_or(Value::Nil))),
    ("has", |call| Ok(Value::Bool(call.list(1)?.iter().any(|item| same(item, &call.values()[0]))))),
    ("initial", |call| list(call.list(0)?.split_last().map_or(&[][..], |(_, rest)| rest).iter().cloned())),
    ("last", |call| Ok(call.list(0)?.last().cloned().unwrap_or(Value::Nil))),
    ("list", |call| list(call.values().iter().cloned())),
    ("mustAppend", append),
    ("mustFirst", |call| Ok(call.list(0)?.first().cloned().unwrap_or(Value::Nil))),
    ("mustHas", |call| Ok(Value::Bool(call.list(1)?.iter().any(|item| same(item, &call.values()[0]))))),
    ("mustLast", |call| Ok(call.list(0)?.last().cloned().unwrap_or(Value::Nil))),
    ("mustUniq", |call| list(unique(call.list(0)?))),
    ("prepend", |call| list([call.exactly(2)?[1].clone()].into_iter().chain(call.list(0)?.iter().cloned()))),
    ("push", append),
    ("rest", |call| list(call.list(0)?.iter().skip(1).cloned())),
    ("reverse", |call| list(call.list(0)?.iter().rev().cloned())),
    ("seq", seq),
    ("sortAlpha", sort_alpha),
    ("tuple", |call| list(call.values().iter().cloned())),
    ("uniq", |call| list(unique(call.list(0)?))),
    ("until", |call| counted(call, 0, call.exactly(1).and(call.int(0))?, None)),
    ("untilStep", |call| counted(call, call.int(0)?, call.exactly(3).and(call.int(1))?, Some(call.int(2)?))),
    ("without", without),
];

/// The longest list that a function counts out.
const MAX_COUNTED: usize = 100_000;

fn append(call: &Call<'_>) -> Answer {
    list(call.list(0)?.iter().chain(&call.exactly(2)?[1..]).cloned())
}

fn concat(call: &Call<'_>) -> Answer {
    let mut all = Vec::new();
    for index in 0..call.values().len() {
        all.extend_from_slice(call.list(index)?);
    }
    list(all)
}

fn chunk(call: &Call<'_>) -> Answer {
    call.exactly(2)?;
    let size = usize::try_from(call.int(0)?)
        .ok()
        .filter(|size| *size > 0)
        .ok_or_else(|| call.fail("size must be positive"))?;
    list(call.list(1)?.chunks(size).map(|part| Value::List(part.into())))
}

fn unique(items: &[Value]) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !kept.iter().any(|other| same(other, item)) {
            kept.push(item.clone());
        }
    }
    kept
}

fn without(call: &Call<'_>) -> Answer {
    let unwanted = &call.at_least(1)?[1..];
    list(call.list(0)?.iter().filter(|item| !unwanted.iter().any(|other| same(other, item))).cloned())
}

fn sort_alpha(call: &Call<'_>) -> Answer {
    let mut words: Vec<_> = match call.exactly(1)? {
        [Value::List(items)] => items.iter().map(shown).collect(),
        other => other.iter().map(shown).collect(),
    };
    words.sort_unstable();
    list(words.into_iter().map(|word| Value::from(word.as_ref())))
}

fn count(call: &Call<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, TemplateError> {
    let mut numbers = Vec::new();
    let mut next = Some(start);
    while let Some(number) = next.filter(|number| if step > 0 { *number < stop } else { step < 0 && *number > stop }) {
        if numbers.len() == MAX_COUNTED {
            return Err(call.fail("the list would be too long"));
        }
        numbers.push(number);
        next = number.checked_add(step);
    }
    Ok(numbers)
}

fn counted(call: &Call<'_>, start: i64, stop: i64, step: Option<i64>) -> Answer {
    let step = step.unwrap_or(if stop < start { -1 } else { 1 });
    list(count(call, start, stop, step)?.into_iter().map(Value::Int))
}

/// Numbers as the shell's `seq` prints them, ends included.
fn seq(call: &Call<'_>) -> Answer {
    let toward = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, step, end) = match call.values().len() {
        0 => return string(""),
        1 => (1, toward(1, call.int(0)?), call.int(0)?),
        2 => (call.int(0)?, toward(call.int(0)?, call.int(1)?), call.int(1)?),
        _ => (call.int(0)?, call.int(1)?, call.exactly(3).and(call.int(2))?),
    };
    let numbers = count(call, start, end.saturating_add(step.signum()), step)?;
    string(numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" "))
}
