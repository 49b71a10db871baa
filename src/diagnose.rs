//! Shows what is wrong with a configuration, with the lines in question where there are any.
//!
//! Used by `trafficcop check` and at start. Knows no option and no rule: those who examine hand it findings.

pub(crate) mod documents;
pub(crate) mod references;
#[cfg(test)]
mod tests;
mod texts;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;
use trafficcop_config::effect::Note;
use trafficcop_config::settings::Loaded;
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};

pub use texts::Texts;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Works, but does nothing in this build.
    Note,
    Warning,
    Error,
}

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub error: ConfigError,
    /// How many characters of the line are concerned; unknown: the word that stands there.
    pub length: Option<usize>,
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
}

impl Style {
    /// Colours for people, none for files and pipes, nor where `NO_COLOR` is set.
    pub fn of(is_terminal: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if is_terminal && wanted { Self::Coloured } else { Self::Plain }
    }
}

impl Finding {
    pub fn new(severity: Severity, error: ConfigError) -> Self {
        Self { severity, error, length: None }
    }
}

/// Errors as findings.
pub fn errors(errors: ConfigErrors) -> Vec<Finding> {
    errors.0.into_iter().map(|error| Finding::new(Severity::Error, error)).collect()
}

/// What is to be said about settings that can be used.
pub fn remarks(loaded: &Loaded) -> Vec<Finding> {
    let warnings = loaded.warnings.iter().map(|error| Finding::new(Severity::Warning, error.clone()));
    warnings.chain(without_effect(&loaded.without_effect)).collect()
}

/// Options that do nothing, as findings.
pub fn without_effect(options: &[Note]) -> impl Iterator<Item = Finding> {
    options.iter().map(|option| {
        let message = format!("understood, but has no effect: {}", option.reason);
        let problem = Problem::Other { message };
        Finding::new(Severity::Note, ConfigError { at: option.at.clone(), path: option.path.clone(), problem })
    })
}

/// All findings, one under the other, each with its line.
pub fn render(findings: &[Finding], texts: &mut Texts, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let mut out = String::new();
    for finding in findings {
        out.push_str(&renderer.render(&[group(finding, texts)]));
        out.push_str("\n\n");
    }
    out
}

fn group<'a>(finding: &'a Finding, texts: &'a mut Texts) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(message(&finding.error));
    match &finding.error.at {
        Origin::Unknown => Group::with_title(title),
        Origin::File { file, line, column } => match texts.place(file, *line, *column, finding.length) {
            Some(place) => {
                let label = suggestion(&finding.error.problem).map(|name| format!("did you mean {name}?"));
                let annotation = AnnotationKind::Primary.span(place.span).label(label);
                let snippet = Snippet::source(place.line).line_start(*line as usize).path(&**file);
                title.element(snippet.annotation(annotation))
            }
            None => title.element(Level::NOTE.message(format!("in {}", finding.error.at))),
        },
        other => title.element(Level::NOTE.message(format!("in {other}"))),
    }
}

/// What is wrong, without the place.
fn message(error: &ConfigError) -> String {
    ConfigError { at: Origin::Unknown, ..error.clone() }.to_string()
}

fn suggestion(problem: &Problem) -> Option<&str> {
    match problem {
        Problem::UnknownField { nearest, .. } | Problem::BadValue { nearest, .. } => nearest.as_deref(),
        _ => None,
    }
}

/// All findings for programs: a list of objects.
pub fn json(findings: &[Finding]) -> serde_json::Value {
    let list = findings.iter().map(|finding| {
        let (file, line, column) = match &finding.error.at {
            Origin::File { file, line, column } => (Some(&**file), Some(*line), Some(*column)),
            _ => (None, None, None),
        };
        let place = (finding.error.at != Origin::Unknown).then(|| finding.error.at.to_string());
        serde_json::json!({
            "severity": finding.severity,
            "message": message(&finding.error),
            "path": finding.error.path,
            "place": place,
            "file": file,
            "line": line,
            "column": column,
            "suggestion": suggestion(&finding.error.problem),
        })
    });
    serde_json::Value::Array(list.collect())
}

/// Logs what is to be said about settings at start: each warning, and one line for all that has no effect.
pub fn announce(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if !loaded.without_effect.is_empty() {
        let options: Vec<&str> = loaded.without_effect.iter().map(|option| option.path.as_str()).collect();
        tracing::warn!(options = options.join(", "), "Options are understood but have no effect in this build.");
    }
}
