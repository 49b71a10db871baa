//! The shape of a typed model: every option it has, found by asking its `Deserialize` for them.
//!
//! Used where a notation needs to know more than its own text says (does this flag take a value?), for lists of all
//! options, and to say where a misplaced option belongs.

mod probe;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Number,
    /// Text, or anything that is written as one: durations, addresses, words of a closed set.
    Text,
    List,
    /// A struct: its options follow below it.
    Section,
    /// Names chosen by the user.
    Map,
    /// Kept as a [`Node`](crate::Node): whatever its owner makes of it.
    Any,
}

/// All options of a model, by their dotted paths. A name that the user chooses is `<name>`, an item of a list `[]`:
/// `http.routers.<name>.tls.domains[].main`.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    options: BTreeMap<String, Kind>,
    /// The same paths in lower case, for look-ups.
    canonical: BTreeMap<String, String>,
}

impl Shape {
    /// Asks the model. Meant to be called once and kept.
    pub fn of<T: DeserializeOwned>() -> Self {
        let mut options = BTreeMap::new();
        // A value that refuses its stand-in ends the walk; it is known by then, so the next walk goes around it.
        let mut avoided = BTreeSet::new();
        while let Some(refused) = probe::walk::<T>(&mut options, &avoided) {
            if !avoided.insert(refused) {
                break;
            }
        }
        options.remove("");
        let canonical = options.keys().map(|path| (path.to_lowercase(), path.clone())).collect();
        Self { options, canonical }
    }

    /// Every option with its kind, in the order of the alphabet.
    pub fn options(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.options.iter().map(|(path, kind)| (path.as_str(), *kind))
    }

    /// The names at the top.
    pub fn sections(&self) -> Vec<&str> {
        self.options.keys().filter(|path| !path.contains(['.', '['])).map(String::as_str).collect()
    }

    /// The option that a path of real names leads to, e.g. `entryPoints.<name>.address` for `entrypoints web address`.
    pub fn find<S: AsRef<str>>(&self, steps: &[S]) -> Option<&str> {
        let mut here = String::new();
        for step in steps {
            let step = step.as_ref().to_lowercase();
            let index = step.trim_matches(['[', ']']).bytes().all(|byte| byte.is_ascii_digit());
            let dot = if here.is_empty() { "" } else { "." };
            let named = format!("{here}{dot}{step}");
            let any = format!("{here}{dot}<name>");
            let item = format!("{here}[]");
            here = if self.canonical.contains_key(&named) {
                named
            } else if self.canonical.contains_key(&any) {
                any
            } else if index && self.canonical.contains_key(&item) {
                item
            } else {
                return None;
            };
        }
        self.canonical.get(&here).map(String::as_str)
    }

    /// What the option at a path of real names holds.
    pub fn kind_of<S: AsRef<str>>(&self, steps: &[S]) -> Option<Kind> {
        self.options.get(self.find(steps)?).copied()
    }

    /// Where an option of this name exists, when it stands at the wrong place: the path nearest to the one it was
    /// found below, with the names that were written there.
    pub fn elsewhere(&self, field: &str, parent: &str) -> Option<String> {
        let field = field.to_lowercase();
        let given: Vec<&str> = parent.split('.').filter(|step| !step.is_empty()).collect();
        self.canonical
            .iter()
            .filter(|(path, _)| path.rsplit('.').next() == Some(field.as_str()))
            .map(|(path, canonical)| (shared(path, &given), canonical))
            .filter(|(shared, _)| *shared > 0 || given.is_empty())
            .max_by_key(|(shared, path)| (*shared, std::cmp::Reverse(path.len())))
            .map(|(shared, path)| {
                let steps = path.split('.').enumerate();
                let named = steps.map(|(index, step)| if index < shared { given[index] } else { step });
                named.collect::<Vec<_>>().join(".")
            })
    }
}

/// How many steps a path of the model has in common with a path of real names.
fn shared(path: &str, given: &[&str]) -> usize {
    let fits = |step: &str, given: &str| match step.strip_suffix("[]") {
        Some(list) => {
            given.get(..list.len()).is_some_and(|name| name.eq_ignore_ascii_case(list))
                && given.get(list.len()..).is_some_and(|rest| rest.starts_with('['))
        }
        None => step == "<name>" || step.eq_ignore_ascii_case(given),
    };
    path.split('.').zip(given).take_while(|(step, given)| fits(step, given)).count()
}
