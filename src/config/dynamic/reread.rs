//! [`Document`]: a document that is read again and again, of which only what changed is read.
//!
//! Large files change often and by little. In plain YAML the lines of an object are what stands from its name to the next
//! that is no further in, so the lines that differ say which objects do. What must hold: a document is read as if it were
//! read whole, places included. Wherever that is not plain, mistakes too, it is read whole.

use std::collections::HashSet;

use super::kinds::{Kinds, Places};
use super::{Configuration, Objects, document};
use crate::read::{self, Format, MAX_BYTES};
use crate::{ConfigErrors, Origin};

/// Sections whose subsections hold objects by name.
const OF_OBJECTS: [&str; 3] = ["http:", "tcp:", "udp:"];

/// A document and what it says.
#[derive(Debug)]
pub struct Document {
    text: Box<str>,
    /// In YAML of the plain kind.
    is_plain: bool,
    configuration: Configuration,
}

impl Document {
    /// Reads the text; `before` is what the document was the last time, under the same name.
    pub fn read(text: &str, format: Format, file: &str, before: Option<&Self>) -> Result<Self, ConfigErrors> {
        let known = match before {
            Some(before) if *before.text == *text => Some((before.configuration.clone(), before.is_plain)),
            Some(before) if before.is_plain => changed(before, text, file).map(|configuration| (configuration, true)),
            _ => None,
        };
        if let Some((configuration, is_plain)) = known {
            return Ok(Self { text: text.into(), is_plain, configuration });
        }
        let plain =
            if format == Format::Yaml && text.len() <= MAX_BYTES { read::yaml::plain(text, file) } else { None };
        let is_plain = plain.is_some();
        let node = plain.map_or_else(|| read::document(text, format, file), Ok)?;
        Ok(Self { text: text.into(), is_plain, configuration: document::decode(node)? })
    }

    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }
}

/// What the text says, if it differs from the one before in objects of one kind only.
fn changed(before: &Document, text: &str, file: &str) -> Option<Configuration> {
    let old: Vec<_> = before.text.split('\n').collect();
    let new: Vec<_> = text.split('\n').collect();
    let shorter = old.len().min(new.len());
    let alike = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.iter().rev().zip(new.iter().rev()).take(shorter - alike);
    let window = Window::of(&old, alike, old.len() - rest.take_while(|(a, b)| a == b).count())?;
    let by = i64::try_from(new.len()).ok()? - i64::try_from(old.len()).ok()?;
    let end = usize::try_from(i64::try_from(window.end).ok()? + by).ok()?;
    let gone = window.part(&old, window.end, file)?;
    let come = window.part(&new, end, file)?;

    let mut whole = before.configuration.clone();
    let mut change = Removal { is_good: true };
    whole.with_each_kind(&gone, &mut change);
    if by != 0 {
        let mut moved = Move { after: u32::try_from(window.end).ok()?, by };
        whole.with_each_kind(&before.configuration, &mut moved);
        for certificate in whole.tls.iter_mut().flat_map(|tls| &mut tls.certificates) {
            moved.place(&mut certificate.at);
        }
    }
    let mut change = Addition { is_good: change.is_good };
    whole.with_each_kind(&come, &mut change);
    change.is_good.then_some(whole)
}

/// How far in a line is; None when it says nothing.
fn indent(line: &str) -> Option<usize> {
    let text = line.trim_start_matches(' ');
    (!text.is_empty() && !text.starts_with('#')).then(|| line.len() - text.len())
}

fn is_dash(line: &str) -> bool {
    line.trim_start_matches(' ').starts_with('-')
}

/// Lines that are whole objects, all of one kind.
struct Window {
    section: usize,
    kind: usize,
    /// How far in the names of the objects are.
    indent: usize,
    start: usize,
    end: usize,
}

impl Window {
    /// Around the lines of which the first `alike` and those from `again` on did not change.
    fn of(lines: &[&str], alike: usize, again: usize) -> Option<Self> {
        // The lines that the last unchanged one is within, innermost first.
        let mut within: Vec<(usize, usize)> = Vec::new();
        for (number, line) in lines[..alike].iter().enumerate().rev() {
            if let Some(indent) = indent(line)
                && within.last().is_none_or(|(_, least)| indent < *least)
            {
                within.push((number, indent));
                if indent == 0 {
                    break;
                }
            }
        }
        let (section, _) = within.pop().filter(|(_, indent)| *indent == 0)?;
        let (kind, outer) = within.pop()?;
        let is_section = OF_OBJECTS.iter().any(|name| name.eq_ignore_ascii_case(lines[section]));
        let is_kind = lines[kind]
            .trim_start()
            .strip_suffix(':')
            .is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphabetic()));
        if !is_section || !is_kind {
            return None;
        }
        let (start, indent_of_names) = match within.pop() {
            Some(object) => object,
            // Right behind the name of the kind.
            None => (alike, lines[alike..].iter().find_map(|line| indent(line)).filter(|indent| *indent > outer)?),
        };
        let is_next = |line: &&str| {
            indent(line).is_some_and(|indent| indent < indent_of_names || indent == indent_of_names && !is_dash(line))
        };
        let end = lines[again..].iter().position(is_next).map_or(lines.len(), |at| again + at);
        Some(Self { section, kind, indent: indent_of_names, start, end })
    }

    /// What the lines up to `end` say. None: they are not whole objects, or something is wrong with them.
    fn part(&self, lines: &[&str], end: usize, file: &str) -> Option<Configuration> {
        let within = lines.get(self.start..end)?;
        let mut said = within.iter().filter_map(|line| Some((indent(line)?, line)));
        let Some((first, line)) = said.next() else { return Some(Configuration::default()) };
        if first != self.indent || is_dash(line) || said.any(|(indent, _)| indent < self.indent) {
            return None;
        }
        let mut text = String::with_capacity(end + within.iter().map(|line| line.len()).sum::<usize>() + 64);
        for (number, line) in lines[..end].iter().enumerate() {
            if number == self.section || number == self.kind || number >= self.start {
                text.push_str(line);
            }
            text.push('\n');
        }
        document::decode(read::yaml::plain(&text, file)?).ok()
    }
}

/// Takes out what is gone.
struct Removal {
    is_good: bool,
}

impl Kinds for Removal {
    fn visit<T: Clone + PartialEq + Places>(&mut self, whole: &mut Objects<T>, gone: &Objects<T>) {
        for name in gone.keys() {
            self.is_good &= whole.remove(name).is_some();
        }
    }
}

/// Puts in what has come. What is there already, or alike but for its letters' case, is the whole document's business.
struct Addition {
    is_good: bool,
}

impl Kinds for Addition {
    fn visit<T: Clone + PartialEq + Places>(&mut self, whole: &mut Objects<T>, come: &Objects<T>) {
        if come.is_empty() {
            return;
        }
        let names: HashSet<_> = come.keys().map(|name| name.to_ascii_lowercase()).collect();
        self.is_good &= !whole.keys().any(|known| names.contains(&known.to_ascii_lowercase()));
        whole.extend(come.iter().map(|(name, object)| (name.clone(), object.clone())));
    }
}

/// What stood behind the lines that changed stands elsewhere now.
struct Move {
    after: u32,
    by: i64,
}

impl Move {
    fn place(&self, place: &mut Origin) {
        if let Origin::File { line, .. } = place
            && *line > self.after
        {
            *line = u32::try_from(i64::from(*line) + self.by).unwrap_or(*line);
        }
    }
}

impl Kinds for Move {
    fn visit<T: Clone + PartialEq + Places>(&mut self, whole: &mut Objects<T>, _before: &Objects<T>) {
        for object in whole.values_mut() {
            // An object is behind the change with all that is in it, or not at all; those before it stay shared.
            if matches!(&object.at, Origin::File { line, .. } if *line > self.after) {
                let object = &mut **object;
                self.place(&mut object.at);
                object.value.each_place(&mut |place| self.place(place));
            }
        }
    }
}

#[cfg(test)]
mod tests;
