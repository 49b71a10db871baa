//! From what was written to settings that can be built from, or to everything that is wrong with it.
//!
//! Knows the rules of each kind of source, but reads none: whoever calls has found the file, the arguments or the
//! variables and turned them into a [`Node`].

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::effect;
use super::validate::validate;
use super::{Settings, options, removed};
use crate::effect::{Note, notes};
use crate::suggest::nearest;
use crate::{ConfigError, ConfigErrors, Node, Problem, Value, dynamic, pattern};

/// Where the settings came from. Sources are never mixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The file of this name.
    File(Arc<str>),
    Flags,
    Variables,
    /// Nothing was said anywhere.
    Defaults,
}

/// Settings, and what is to be said about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub settings: Settings,
    pub source: Source,
    /// What is deprecated, doubtful or left out.
    pub warnings: Vec<ConfigError>,
    /// What is understood but does nothing in this build.
    pub without_effect: Vec<Note>,
}

/// Turns what one source says into settings. All errors at once.
pub fn load(source: Source, document: &Node) -> Result<Loaded, ConfigErrors> {
    let (mut errors, rest) = removed::removed(document);
    let (ours, mut warnings) = known_roots(&source, &rest);
    if let (Source::File(file), true) = (&source, is_empty(&ours) && errors.is_empty()) {
        return Err(nothing_found(file, document));
    }
    warnings.extend(removed::deprecated(&ours));
    match ours.decode::<Settings>() {
        Ok(settings) => {
            let settings = settings.completed();
            let found = validate(&settings, &ours);
            errors.extend(found.errors);
            warnings.extend(found.warnings);
            if errors.is_empty() {
                let without_effect = notes(&ours, effect::STATIC);
                return Ok(Loaded { settings, source, warnings, without_effect });
            }
        }
        Err(wrong) => {
            errors.extend(further(&ours, &wrong.0));
            errors.extend(wrong.0);
        }
    }
    Err(ConfigErrors(errors).sorted())
}

/// What else is wrong, apart from what could not be decoded and whatever contains that.
fn further(document: &Node, wrong: &[ConfigError]) -> Vec<ConfigError> {
    let rest = wrong.iter().fold(document.clone(), |rest, error| pattern::without(&rest, &error.path));
    let Ok(settings) = rest.decode::<Settings>() else { return Vec::new() };
    let found = validate(&settings.completed(), &rest).errors;
    found.into_iter().filter(|error| !wrong.iter().any(|known| below(&known.path, &error.path))).collect()
}

fn below(path: &str, parent: &str) -> bool {
    path.get(..parent.len()).is_some_and(|head| head.eq_ignore_ascii_case(parent))
}

/// The sections of the static configuration, as documented.
pub fn sections() -> Vec<String> {
    let roots = options::all().into_iter().filter_map(|line| line.path.split('.').next().map(str::to_owned));
    let mut seen = BTreeSet::new();
    roots.filter(|root| seen.insert(root.clone())).collect()
}

/// Files may hold other things beside the static configuration, and the environment is full of them; only flags are
/// ours alone. A root key that looks like one of ours is worth a warning.
fn known_roots(source: &Source, document: &Node) -> (Node, Vec<ConfigError>) {
    let Value::Map(entries) = &document.value else { return (document.clone(), Vec::new()) };
    if *source == Source::Flags {
        return (document.clone(), Vec::new());
    }
    let sections = sections();
    let is_ours = |key: &str| sections.iter().any(|section| section.eq_ignore_ascii_case(key));
    let is_dynamic = |key: &str| dynamic::document::SECTIONS.iter().any(|section| section.eq_ignore_ascii_case(key));
    let (ours, foreign): (Vec<_>, Vec<_>) = entries.iter().cloned().partition(|(key, _)| is_ours(key));
    let looks_meant = |(key, node): (Arc<str>, Node)| {
        let nearest = nearest(&key, sections.iter().map(String::as_str)).filter(|_| !is_dynamic(&key))?.to_owned();
        let message = format!("{key} is no section and was ignored (did you mean {nearest}?)");
        Some(ConfigError { at: node.place().clone(), path: String::new(), problem: Problem::Other { message } })
    };
    let warnings = foreign.into_iter().filter_map(looks_meant).collect();
    let mut rest = document.clone();
    rest.value = Value::Map(ours);
    (rest, warnings)
}

fn is_empty(document: &Node) -> bool {
    match &document.value {
        Value::Null => true,
        Value::Map(entries) => entries.is_empty(),
        Value::Scalar(_) | Value::List(_) => false,
    }
}

fn nothing_found(file: &str, document: &Node) -> ConfigErrors {
    let what = if is_empty(document) { "no configuration" } else { "no valid configuration" };
    let message = format!("{what} found in file: {file}");
    ConfigErrors(vec![ConfigError {
        at: document.at.clone(),
        path: String::new(),
        problem: Problem::Other { message },
    }])
}
