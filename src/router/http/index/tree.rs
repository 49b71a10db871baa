//! [`Tree`]: over the bytes of all exact paths and prefixes, laid out flat: looking a path up walks its bytes once, however
//! many paths there are.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// The ranks of the routes for one path.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) exact: Vec<u32>,
    pub(super) prefix: Vec<u32>,
}

/// The root is the first node. The children of a node lie beside each other, sorted by the byte with which they begin.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The byte with which each node begins.
    firsts: Vec<u8>,
    labels: Vec<u8>,
    ranks: Vec<u32>,
}

#[derive(Debug, Default)]
struct Node {
    /// The bytes between the parent and this node, in `labels`.
    label: Range<u32>,
    children: Range<u32>,
    /// Routes whose path ends here, in `ranks`.
    exact: Range<u32>,
    /// Routes whose prefix ends here, in `ranks`.
    prefix: Range<u32>,
    /// The nearest node above in which a prefix ends.
    above: Option<u32>,
}

impl Tree {
    /// `keys` are sorted and differ.
    pub(super) fn build(keys: &[(Arc<str>, Lists)]) -> Self {
        let mut tree = Self::default();
        tree.push(&[], None);
        // A queue rather than recursion: keys can be nested as deeply as their authors like.
        let mut open = VecDeque::from([(0, 0..keys.len(), 0)]);
        while let Some((node, mut group, depth)) = open.pop_front() {
            let above = tree.settle(node, &keys[group.start], depth);
            group.start += usize::from(keys[group.start].0.len() == depth);
            let first_child = tree.nodes.len() as u32;
            while !group.is_empty() {
                let (start, first) = (group.start, keys[group.start].0.as_bytes());
                let same = keys[group.clone()].partition_point(|(key, _)| key.as_bytes()[depth] == first[depth]);
                let last = keys[start + same - 1].0.as_bytes();
                let end = depth + first[depth..].iter().zip(&last[depth..]).take_while(|(a, b)| a == b).count();
                open.push_back((tree.push(&first[depth..end], above), start..start + same, end));
                group.start += same;
            }
            tree.nodes[node].children = first_child..tree.nodes.len() as u32;
        }
        tree
    }

    fn push(&mut self, label: &[u8], above: Option<u32>) -> usize {
        let start = self.labels.len() as u32;
        self.labels.extend_from_slice(label);
        self.firsts.push(label.first().copied().unwrap_or_default());
        self.nodes.push(Node { label: start..self.labels.len() as u32, above, ..Node::default() });
        self.nodes.len() - 1
    }

    /// Gives the node its lists if the first of its keys ends here. Says which node is above its children.
    fn settle(&mut self, node: usize, (key, lists): &(Arc<str>, Lists), depth: usize) -> Option<u32> {
        if key.len() == depth {
            self.nodes[node].exact = self.keep(&lists.exact);
            self.nodes[node].prefix = self.keep(&lists.prefix);
        }
        if self.nodes[node].prefix.is_empty() { self.nodes[node].above } else { Some(node as u32) }
    }

    fn keep(&mut self, ranks: &[u32]) -> Range<u32> {
        let start = self.ranks.len() as u32;
        self.ranks.extend_from_slice(ranks);
        start..self.ranks.len() as u32
    }

    pub(super) fn visit(&self, path: &[u8], see: &mut impl FnMut(&[u32])) {
        let mut node = &self.nodes[0];
        let mut rest = path;
        let mut longest = (!node.prefix.is_empty()).then_some(0);
        while let Some((&first, _)) = rest.split_first() {
            let firsts = &self.firsts[range(&node.children)];
            let Some(place) = memchr::memchr(first, firsts) else { break };
            let child = node.children.start as usize + place;
            let label = &self.labels[range(&self.nodes[child].label)];
            let Some(behind) = rest.strip_prefix(label) else { break };
            (node, rest) = (&self.nodes[child], behind);
            if !node.prefix.is_empty() {
                longest = Some(child as u32);
            }
        }
        if rest.is_empty() && !node.exact.is_empty() {
            see(&self.ranks[range(&node.exact)]);
        }
        while let Some(place) = longest {
            let node = &self.nodes[place as usize];
            see(&self.ranks[range(&node.prefix)]);
            longest = node.above;
        }
    }
}

fn range(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
