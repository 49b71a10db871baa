//! Every option of the static configuration with its default and meaning, taken from the model itself.

use std::collections::BTreeMap;

use crate::dynamic::Domain;
use crate::{Duration, Node, Secret};

use super::Settings;
use super::kubernetes::ServiceRef;

/// One option, as `--help` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Dotted, in the case of the documentation; `<name>` stands for a name of the user's choice.
    pub path: String,
    /// Whether it has options of its own and is off unless written.
    pub is_section: bool,
    /// As it would be written; empty where there is none.
    pub default: String,
    /// One sentence, possibly empty.
    pub help: String,
}

/// All options in the order of the model.
pub fn all() -> Vec<Line> {
    let mut out = Vec::new();
    Settings::default().describe(Place { path: String::new(), help: &[] }, &mut out);
    out
}

/// Where in the model the description has come to.
pub(crate) struct Place<'a> {
    path: String,
    help: &'a [&'a str],
}

impl Place<'_> {
    pub(crate) fn child<'b>(&self, field: &str, key: &[&str], help: &'b [&'b str]) -> Place<'b> {
        let key = key.first().map_or_else(|| camel_case(field), |key| (*key).to_owned());
        let path = if self.path.is_empty() { key } else { format!("{}.{key}", self.path) };
        Place { path, help }
    }

    fn line(&self, default: String) -> Line {
        let help: Vec<&str> = self.help.iter().map(|line| line.trim()).collect();
        Line { path: self.path.clone(), is_section: false, default, help: help.join(" ") }
    }
}

fn camel_case(field: &str) -> String {
    let mut upper = false;
    let mut out = String::with_capacity(field.len());
    for letter in field.chars() {
        if letter == '_' {
            upper = true;
        } else if upper {
            out.push(letter.to_ascii_uppercase());
            upper = false;
        } else {
            out.push(letter);
        }
    }
    out
}

/// A value (the default one) that can tell its options.
pub(crate) trait Described {
    fn describe(&self, place: Place<'_>, out: &mut Vec<Line>);
}

macro_rules! scalars {
    ($($type:ty),*) => {$(
        impl Described for $type {
            fn describe(&self, place: Place<'_>, out: &mut Vec<Line>) {
                out.push(place.line(self.to_string()));
            }
        }
    )*};
}

scalars!(bool, i64, i32, u16, f64, String, Duration, Secret);

impl Described for Node {
    fn describe(&self, place: Place<'_>, out: &mut Vec<Line>) {
        out.push(place.line(String::new()));
    }
}

macro_rules! lists {
    ($($type:ty),*) => {$(
        impl Described for Vec<$type> {
            fn describe(&self, place: Place<'_>, out: &mut Vec<Line>) {
                let items: Vec<String> = self.iter().map(ToString::to_string).collect();
                out.push(place.line(items.join(", ")));
            }
        }
    )*};
}

lists!(String, f64);

/// A list whose items have options.
impl Described for Vec<Domain> {
    fn describe(&self, place: Place<'_>, out: &mut Vec<Line>) {
        let item = Place { path: format!("{}[n]", place.path), help: &[] };
        String::new().describe(item.child("main", &[], &["First name of the certificate."]), out);
        Vec::<String>::new().describe(item.child("sans", &[], &["Further names of the certificate."]), out);
    }
}

/// A list whose items have options.
impl Described for Vec<ServiceRef> {
    fn describe(&self, place: Place<'_>, out: &mut Vec<Line>) {
        ServiceRef::default().describe(Place { path: format!("{}[n]", place.path), help: &[] }, out);
    }
}

impl<T: Described + Default> Described for BTreeMap<String, T> {
    fn describe(&self, place: Place<'_>, out: &mut Vec<Line>) {
        let named = Place { path: format!("{}.<name>", place.path), help: place.help };
        T::default().describe(named, out);
    }
}

/// An option that can be left out. A scalar stays one line; a section gets a line of its own before its options.
impl<T: Described + Default> Described for Option<T> {
    fn describe(&self, place: Place<'_>, out: &mut Vec<Line>) {
        let first = out.len();
        let section = Line { is_section: true, ..place.line(String::new()) };
        T::default().describe(place, out);
        match out.get_mut(first) {
            Some(line) if line.path == section.path => line.default.clear(),
            _ => out.insert(first, section),
        }
    }
}
