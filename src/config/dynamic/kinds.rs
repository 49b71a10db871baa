//! All kinds of named objects of two configurations, one after the other, and the places within their objects.

use super::{Configuration, Middleware, Objects, http, tcp, tls, udp};
use crate::{Node, Origin, Value};

/// What is done with the objects of one kind in two configurations.
pub(super) trait Kinds {
    fn visit<T: Clone + PartialEq + Places>(&mut self, ours: &mut Objects<T>, theirs: &Objects<T>);
}

impl Configuration {
    /// Every kind whose section both have.
    pub(super) fn with_each_kind(&mut self, theirs: &Self, kinds: &mut impl Kinds) {
        if let (Some(ours), Some(theirs)) = (&mut self.http, &theirs.http) {
            kinds.visit(&mut ours.routers, &theirs.routers);
            kinds.visit(&mut ours.services, &theirs.services);
            kinds.visit(&mut ours.middlewares, &theirs.middlewares);
            kinds.visit(&mut ours.models, &theirs.models);
            kinds.visit(&mut ours.servers_transports, &theirs.servers_transports);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.tcp, &theirs.tcp) {
            kinds.visit(&mut ours.routers, &theirs.routers);
            kinds.visit(&mut ours.services, &theirs.services);
            kinds.visit(&mut ours.middlewares, &theirs.middlewares);
            kinds.visit(&mut ours.models, &theirs.models);
            kinds.visit(&mut ours.servers_transports, &theirs.servers_transports);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.udp, &theirs.udp) {
            kinds.visit(&mut ours.routers, &theirs.routers);
            kinds.visit(&mut ours.services, &theirs.services);
            kinds.visit(&mut ours.middlewares, &theirs.middlewares);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.tls, &theirs.tls) {
            kinds.visit(&mut ours.options, &theirs.options);
            kinds.visit(&mut ours.stores, &theirs.stores);
        }
    }
}

/// What has places within itself; they are no part of its equality.
pub(super) trait Places {
    /// Of two that are equal.
    fn are_at_same_places(&self, _other: &Self) -> bool {
        true
    }

    fn each_place(&mut self, _visit: &mut dyn FnMut(&mut Origin)) {}
}

impl Places for http::Router {
    fn are_at_same_places(&self, other: &Self) -> bool {
        self.rule.at == other.rule.at && self.default_rule == other.default_rule
    }

    fn each_place(&mut self, visit: &mut dyn FnMut(&mut Origin)) {
        visit(&mut self.rule.at);
    }
}

impl Places for tcp::Router {
    fn are_at_same_places(&self, other: &Self) -> bool {
        self.rule.at == other.rule.at
    }

    fn each_place(&mut self, visit: &mut dyn FnMut(&mut Origin)) {
        visit(&mut self.rule.at);
    }
}

impl Places for Middleware {
    fn are_at_same_places(&self, other: &Self) -> bool {
        self.kinds.iter().zip(&other.kinds).all(|((_, a), (_, b))| nodes(a, b))
    }

    fn each_place(&mut self, visit: &mut dyn FnMut(&mut Origin)) {
        self.kinds.iter_mut().for_each(|(_, node)| each_of_node(node, visit));
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

fn each_of_node(node: &mut Node, visit: &mut dyn FnMut(&mut Origin)) {
    visit(&mut node.at);
    visit(&mut node.key_at);
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| each_of_node(item, visit)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, entry)| each_of_node(entry, visit)),
        _ => {}
    }
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
