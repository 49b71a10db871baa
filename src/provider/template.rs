//! Go templates with sprig's functions: the language of default rules and of configuration files.
//!
//! Knows nothing of rules or files. What must hold: a name that is no function is an error when the template is read,
//! even in a branch that is never taken; rendering cannot run for ever or without a bound on loops.

mod balance;
mod call;
mod check;
mod encoding;
mod flow;
mod lists;
mod maps;
mod numbers;
mod patterns;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub use gotmpl::Value;
use gotmpl::ValueFunc;

use call::{Call, Functions};

/// The most turns that all loops of one rendering may take together.
const MAX_TURNS: u64 = 1_000_000;

/// Why a template does not parse or render. Lines and columns count from 1; a failure while rendering has no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("line {line}, column {column}: {message}")]
    Syntax { line: usize, column: usize, message: String },
    #[error("line {line}, column {column}: function \"{name}\" not defined{}", meant(nearest.as_deref()))]
    UnknownFunction { line: usize, column: usize, name: String, nearest: Option<String> },
    #[error("line {line}, column {column}: can't evaluate field {name}: there is {}", known.join(", "))]
    UnknownField { line: usize, column: usize, name: String, known: Vec<String> },
    #[error("{0}")]
    Render(String),
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

/// Where a template is written; two functions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A default rule: `split` is sprig's, and what a label map lacks is empty.
    Rule,
    /// A configuration file: `split` cuts its first argument at its second.
    Document,
}

/// A template that was read and found sound.
pub struct Template(gotmpl::Template);

impl Template {
    /// Reads a template. `fields` are the names that the data has at its root; none means: do not check.
    pub fn parse(source: &str, dialect: Dialect, fields: Option<&[&str]>) -> Result<Self, TemplateError> {
        let functions = functions(dialect);
        let template =
            gotmpl::Template::new("template").max_range_iters(MAX_TURNS).funcs(functions.clone()).parse(source);
        let template = template.map_err(|error| placed(&error))?;
        balance::blocks(source)?;
        check::names(&template, source, functions, fields)?;
        Ok(Self(template))
    }

    pub fn render(&self, data: &Value) -> Result<String, TemplateError> {
        self.0.execute_to_string(data).map_err(|error| placed(&error))
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Template")
    }
}

/// Renders a template once.
pub fn render(source: &str, dialect: Dialect, data: &Value) -> Result<String, TemplateError> {
    Template::parse(source, dialect, None)?.render(data)
}

/// Renders a configuration file. Its data is `false`, as in Traefik; text without actions is returned as it is.
pub fn render_document(source: &str) -> Result<String, TemplateError> {
    if source.contains("{{") { render(source, Dialect::Document, &Value::Bool(false)) } else { Ok(source.to_owned()) }
}

fn placed(error: &gotmpl::TemplateError) -> TemplateError {
    match error {
        gotmpl::TemplateError::Parse { line, col, message, .. }
        | gotmpl::TemplateError::Lex { line, col, message, .. } => {
            TemplateError::Syntax { line: *line, column: *col, message: message.clone() }
        }
        gotmpl::TemplateError::Exec(message) => TemplateError::Render(message.clone()),
        other => TemplateError::Render(other.to_string()),
    }
}

/// All functions beyond those of Go's templates themselves.
fn functions(dialect: Dialect) -> &'static BTreeMap<String, ValueFunc> {
    static RULE: LazyLock<BTreeMap<String, ValueFunc>> = LazyLock::new(|| made(&[text::SPRIG_SPLIT, flow::RULE]));
    static DOCUMENT: LazyLock<BTreeMap<String, ValueFunc>> = LazyLock::new(|| made(&[text::GO_SPLIT]));
    match dialect {
        Dialect::Rule => &RULE,
        Dialect::Document => &DOCUMENT,
    }
}

fn made(particular: &[Functions]) -> BTreeMap<String, ValueFunc> {
    let shared = [
        text::FUNCTIONS,
        words::FUNCTIONS,
        patterns::FUNCTIONS,
        lists::FUNCTIONS,
        maps::FUNCTIONS,
        numbers::FUNCTIONS,
        flow::FUNCTIONS,
        encoding::FUNCTIONS,
    ];
    let mut made: BTreeMap<String, ValueFunc> = BTreeMap::new();
    for &(name, function) in shared.into_iter().flatten().chain(particular.iter().copied().flatten()) {
        made.insert(name.to_owned(), Arc::new(move |values: &[Value]| function(&Call::new(name, values))));
    }
    made
}
