//! Rules of routers: whatever is written is read or refused, with a column inside the rule.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trafficcop_router::rule::{parse_http, parse_tcp};
use trafficcop_router::{RuleError, Syntax};

fuzz_target!(|text: &str| {
    for syntax in [Syntax::V3, Syntax::V2] {
        match parse_http(text, syntax) {
            Ok(rule) => drop(rule.domains()),
            Err(error) => is_inside(text, &error),
        }
        match parse_tcp(text, syntax) {
            Ok(rule) => drop(rule.domains()),
            Err(error) => is_inside(text, &error),
        }
    }
});

fn is_inside(text: &str, error: &RuleError) {
    // One column behind the last character is where a missing end is missed.
    let columns = text.chars().count() + 1;
    assert!((1..=columns).contains(&error.column), "column {} of {columns}", error.column);
    assert!(error.length >= 1);
}
