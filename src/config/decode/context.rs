//! What one pass of decoding knows beside the tree: where it stands, what it found wrong, what it must leave out.

use std::cell::RefCell;
use std::collections::HashSet;

use super::error::DecodeError;
use crate::read::MAX_ERRORS;
use crate::{ConfigError, Node, Origin, Problem};

/// A node of the tree that is being decoded: its address, which stays the same as long as the tree is borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(usize);

impl NodeId {
    pub(super) fn of(node: &Node) -> Self {
        Self(std::ptr::from_ref(node).addr())
    }
}

pub(super) struct Context {
    /// Has nothing above it from which it could be left out.
    pub(super) root: NodeId,
    /// Nodes that are decoded as if they had not been written: what went wrong before, and switched-off sections.
    pub(super) left_out: HashSet<NodeId>,
    /// Sections written as `false`, met in this pass. They can only be left out by the next one, since by then the
    /// model has already been told that the section is there.
    pub(super) switched_off: RefCell<Vec<NodeId>>,
    noted: RefCell<Vec<(NodeId, ConfigError)>>,
    path: RefCell<String>,
}

impl Context {
    pub(super) fn new(root: &Node, left_out: HashSet<NodeId>, path: &str) -> Self {
        Self {
            root: NodeId::of(root),
            left_out,
            switched_off: RefCell::default(),
            noted: RefCell::default(),
            path: RefCell::new(path.to_owned()),
        }
    }

    /// Runs `inside` one step further down the path.
    pub(super) fn within<T>(&self, step: &str, inside: impl FnOnce() -> T) -> T {
        let length = self.path.borrow().len();
        {
            let mut path = self.path.borrow_mut();
            if length > 0 && !step.starts_with('[') {
                path.push('.');
            }
            path.push_str(step);
        }
        let made = inside();
        self.path.borrow_mut().truncate(length);
        made
    }

    /// Notes an error after which decoding goes on with a stand-in: the result will not be used anyway.
    pub(super) fn note(&self, node: &Node, at: &Origin, problem: Problem) {
        let mut noted = self.noted.borrow_mut();
        if noted.len() < MAX_ERRORS {
            noted.push((NodeId::of(node), ConfigError { at: at.clone(), path: self.path.borrow().clone(), problem }));
        }
    }

    /// Gives an error that stops this pass its place, unless something deeper down already has.
    pub(super) fn place(&self, error: DecodeError, node: &Node) -> DecodeError {
        error.placed(NodeId::of(node), || (node.at.clone(), self.path.borrow().clone()))
    }

    pub(super) fn into_noted(self) -> Vec<(NodeId, ConfigError)> {
        self.noted.into_inner()
    }
}
