//! Members of an object, taken one after the other: written down as a line, or gathered for OTLP.

use std::sync::Arc;

use serde_json::{Map, Value};
use trafficcop_exchange::{RouteInfo, ServerInfo};

use super::Line;
use super::json::way;
use crate::access::clock::{Moment, Shown};
use crate::access::plain::is_plain;
use crate::access::{number, stretch};

/// Takes members. What opens one is its name as a line has it: from the comma before it to the quote before its value, or
/// to the colon where the value has no quotes. Its length is known while the program is compiled: copying it is a few moves.
pub(super) trait Members {
    fn text<const N: usize>(&mut self, opening: &[u8; N], value: &[u8]);
    /// A text of ours, of which nothing has to be escaped.
    fn word<const N: usize>(&mut self, opening: &[u8; N], value: &str);
    fn number<const N: usize>(&mut self, opening: &[u8; N], value: u64);
    fn ratio<const N: usize>(&mut self, opening: &[u8; N], value: f64);
    fn time<const N: usize>(&mut self, opening: &[u8; N], time: &Moment, shown: Shown);
    fn header(&mut self, name: String, value: &str);
    /// All of [`way`].
    fn way(&mut self, line: &Line<'_>, route: &Arc<RouteInfo>, server: &Arc<ServerInfo>);
}

/// Writes them down, a comma before each; the first of these becomes the brace.
pub(super) struct Text<'a> {
    pub(super) out: &'a mut Vec<u8>,
}

impl Text<'_> {
    /// A value with its last quote; the first is there already.
    fn value(&mut self, value: &[u8]) {
        if is_plain(value) {
            self.out.extend_from_slice(value);
            self.out.push(b'"');
        } else {
            self.out.pop();
            let _memory_takes_all = serde_json::to_writer(&mut *self.out, &String::from_utf8_lossy(value));
        }
    }
}

impl Members for Text<'_> {
    fn text<const N: usize>(&mut self, opening: &[u8; N], value: &[u8]) {
        self.out.extend_from_slice(opening);
        self.value(value);
    }

    fn word<const N: usize>(&mut self, opening: &[u8; N], value: &str) {
        self.out.extend_from_slice(opening);
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    fn number<const N: usize>(&mut self, opening: &[u8; N], value: u64) {
        self.out.extend_from_slice(opening);
        number::push(self.out, value);
    }

    fn ratio<const N: usize>(&mut self, opening: &[u8; N], value: f64) {
        self.out.extend_from_slice(opening);
        let _memory_takes_all = serde_json::to_writer(&mut *self.out, &as_go_writes_it(value));
    }

    fn time<const N: usize>(&mut self, opening: &[u8; N], time: &Moment, shown: Shown) {
        self.out.extend_from_slice(opening);
        time.push(self.out, shown);
        self.out.push(b'"');
    }

    fn header(&mut self, name: String, value: &str) {
        // Names of headers hold nothing that would have to be escaped.
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":\"");
        self.value(value.as_bytes());
    }

    fn way(&mut self, line: &Line<'_>, route: &Arc<RouteInfo>, server: &Arc<ServerInfo>) {
        stretch::push(self.out, route, server, line.fields.shown(), |out| {
            way(line, Some(route), Some(server), &mut Text { out });
        });
    }
}

impl Members for Map<String, Value> {
    fn text<const N: usize>(&mut self, opening: &[u8; N], value: &[u8]) {
        self.insert(name(opening), String::from_utf8_lossy(value).into());
    }

    fn word<const N: usize>(&mut self, opening: &[u8; N], value: &str) {
        self.insert(name(opening), value.into());
    }

    fn number<const N: usize>(&mut self, opening: &[u8; N], value: u64) {
        self.insert(name(opening), value.into());
    }

    fn ratio<const N: usize>(&mut self, opening: &[u8; N], value: f64) {
        self.insert(name(opening), as_go_writes_it(value));
    }

    fn time<const N: usize>(&mut self, opening: &[u8; N], time: &Moment, _: Shown) {
        self.insert(name(opening), i64::try_from(time.since_1970.as_nanos()).unwrap_or_default().into());
    }

    fn header(&mut self, name: String, value: &str) {
        self.insert(name, value.into());
    }

    fn way(&mut self, line: &Line<'_>, route: &Arc<RouteInfo>, server: &Arc<ServerInfo>) {
        way(line, Some(route), Some(server), self);
    }
}

/// The name alone.
fn name(opening: &[u8]) -> String {
    opening.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(*byte)).collect()
}

/// A whole number has no fraction.
fn as_go_writes_it(number: f64) -> Value {
    if number.fract() == 0.0 { (number as u64).into() } else { number.into() }
}

/// A text as an array. Compiling ends if its length is another.
pub(super) const fn array<const N: usize>(text: &'static str) -> &'static [u8; N] {
    match text.as_bytes().as_array() {
        Some(array) => array,
        None => panic!("the length is another"),
    }
}

/// `member!(line, out, text "Name", value)`: a member, if lines show it.
macro_rules! member {
    ($line:expr, $out:expr, text $name:literal, $value:expr) => {
        member!($line, $out, text, concat!(",\"", $name, "\":\""), $name, $value.as_ref())
    };
    ($line:expr, $out:expr, word $name:literal, $value:expr) => {
        member!($line, $out, word, concat!(",\"", $name, "\":\""), $name, $value)
    };
    ($line:expr, $out:expr, number $name:literal, $value:expr) => {
        member!($line, $out, number, concat!(",\"", $name, "\":"), $name, u64::from($value))
    };
    ($line:expr, $out:expr, ratio $name:literal, $value:expr) => {
        member!($line, $out, ratio, concat!(",\"", $name, "\":"), $name, $value)
    };
    ($line:expr, $out:expr, time $name:literal, $time:expr, $shown:expr) => {
        member!($line, $out, time, concat!(",\"", $name, "\":\""), $name, $time, $shown)
    };
    ($line:expr, $out:expr, $kind:ident, $opening:expr, $name:literal, $($value:expr),+) => {
        if $line.fields.keeps(field!($name)) {
            $out.$kind(const { $crate::access::format::members::array::<{ $opening.len() }>($opening) }, $($value),+);
        }
    };
}
pub(super) use member;
