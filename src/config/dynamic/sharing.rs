//! A configuration that follows another shares with it what did not change, so that whoever compares the two need not look
//! into it, and memory holds it once.

use super::{Configuration, Middleware, Objects, http, tcp, tls, udp};
use crate::{Node, Shared, Value};

impl Configuration {
    /// Takes from `before` every object that is equal in it and stands at the same place.
    pub fn share_with(&mut self, before: &Self) {
        if let (Some(now), Some(before)) = (&mut self.http, &before.http) {
            share(&mut now.routers, &before.routers);
            share(&mut now.services, &before.services);
            share(&mut now.middlewares, &before.middlewares);
            share(&mut now.models, &before.models);
            share(&mut now.servers_transports, &before.servers_transports);
        }
        if let (Some(now), Some(before)) = (&mut self.tcp, &before.tcp) {
            share(&mut now.routers, &before.routers);
            share(&mut now.services, &before.services);
            share(&mut now.middlewares, &before.middlewares);
            share(&mut now.servers_transports, &before.servers_transports);
        }
        if let (Some(now), Some(before)) = (&mut self.udp, &before.udp) {
            share(&mut now.routers, &before.routers);
            share(&mut now.services, &before.services);
            share(&mut now.middlewares, &before.middlewares);
        }
        if let (Some(now), Some(before)) = (&mut self.tls, &before.tls) {
            share(&mut now.options, &before.options);
            share(&mut now.stores, &before.stores);
        }
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
    a.at == b.at && a == b && a.value.are_at_same_places(&b.value)
}

/// What has places within itself; they are no part of its equality.
trait Places {
    /// Of two that are equal.
    fn are_at_same_places(&self, _other: &Self) -> bool {
        true
    }
}

impl Places for http::Router {
    fn are_at_same_places(&self, other: &Self) -> bool {
        self.rule.at == other.rule.at && self.default_rule == other.default_rule
    }
}

impl Places for tcp::Router {
    fn are_at_same_places(&self, other: &Self) -> bool {
        self.rule.at == other.rule.at
    }
}

impl Places for Middleware {
    fn are_at_same_places(&self, other: &Self) -> bool {
        self.kinds.iter().zip(&other.kinds).all(|((_, a), (_, b))| nodes(a, b))
    }
}

fn nodes(a: &Node, b: &Node) -> bool {
    let below = match (&a.value, &b.value) {
        (Value::List(a), Value::List(b)) => a.iter().zip(b).all(|(a, b)| nodes(a, b)),
        (Value::Map(a), Value::Map(b)) => a.iter().zip(b).all(|((_, a), (_, b))| nodes(a, b)),
        _ => true,
    };
    below && a.at == b.at && a.key_at == b.key_at
}

impl Places for http::Service {}
impl Places for http::Model {}
impl Places for http::ServersTransport {}
impl Places for tcp::Service {}
impl Places for tcp::ServersTransport {}
impl Places for udp::Router {}
impl Places for udp::Service {}
impl Places for tls::Options {}
impl Places for tls::Store {}

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
