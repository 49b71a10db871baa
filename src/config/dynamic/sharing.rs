//! A configuration that follows another shares with it what did not change, so that whoever compares the two need not look
//! into it, and memory holds it once.

use super::kinds::{Kinds, Places};
use super::{Configuration, Objects};
use crate::Shared;

impl Configuration {
    /// Takes from `before` every object that is equal in it and stands at the same place.
    pub fn share_with(&mut self, before: &Self) {
        self.with_each_kind(before, &mut Sharing);
    }
}

struct Sharing;

impl Kinds for Sharing {
    fn visit<T: Clone + PartialEq + Places>(&mut self, now: &mut Objects<T>, before: &Objects<T>) {
        share(now, before);
    }
}

/// Both are in the order of their names, so one walk along both finds what they have in common.
fn share<T: PartialEq + Places>(now: &mut Objects<T>, before: &Objects<T>) {
    let mut before = before.iter().peekable();
    for (name, object) in now {
        while before.next_if(|(known, _)| *known < name).is_some() {}
        if let Some((_, known)) = before.next_if(|(known, _)| *known == name)
            && is_same(object, known)
        {
            *object = known.clone();
        }
    }
}

fn is_same<T: PartialEq + Places>(a: &Shared<T>, b: &Shared<T>) -> bool {
    a.is_one(b) || a.at == b.at && a == b && a.value.are_at_same_places(&b.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, document};

    fn configuration(text: &str) -> Configuration {
        super::super::document::decode(document(text, Format::Yaml, "f").expect("it is YAML")).expect("it is ours")
    }

    #[track_caller]
    fn check(before: &str, now: &str, shared: bool) {
        let before = configuration(before);
        let mut after = configuration(now);
        after.share_with(&before);
        assert_eq!(after, configuration(now), "sharing changes nothing");
        let router = |from: &Configuration| from.http.as_ref().expect("http").routers["b"].clone();
        assert_eq!(router(&before).is_one(&router(&after)), shared, "{now}");
    }

    #[test]
    fn what_is_equal_at_its_place_is_shared() {
        let before = "http: {routers: {a: {rule: x},\n  b: {rule: y, service: s}}}";
        check(before, before, true);
        check(before, "http: {routers: {aa: {rule: x},\n  b: {rule: y, service: s}}}", true);
        check(before, "http: {routers: {a: {rule: x},\n  b: {rule: y, service: t}}}", false);
        check(before, "http: {routers: {a: {rule: x},\n\n  b: {rule: y, service: s}}}", false);
        check(before, "http: {routers: {a: {rule: x},\n  b: {rule:  y, service: s}}}", false);
    }
}
