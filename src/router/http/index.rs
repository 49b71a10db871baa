//! [`PathIndex`]: path → ranks of the routes that may concern it.
//!
//! A host with few paths has a list of them, one with many a tree.

mod tree;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::tree::{Lists, Tree};
use super::anchor::PathKey;
use crate::substrings::Substrings;

/// Ranks by path.
#[derive(Debug)]
pub(super) struct PathIndex {
    paths: Paths,
    parts: Option<Box<Substrings<Box<[u32]>>>>,
    /// Routes that can concern every path, by rank.
    any: Box<[u32]>,
}

/// Most hosts have few paths, and a tree for each of them would be the largest part of many a table.
#[derive(Debug)]
enum Paths {
    /// The most specific first.
    Few(Box<[Few]>),
    Many(Box<Tree>),
}

/// More than this and a tree is asked.
const MOST_FEW: usize = 4;

#[derive(Debug)]
struct Few {
    path: Arc<str>,
    is_exact: bool,
    ranks: Box<[u32]>,
}

impl PathIndex {
    /// Builds the index of one host. Ranks come in ascending order.
    pub(super) fn build(items: Vec<(PathKey, u32)>) -> Self {
        let mut any = Vec::new();
        let mut keys: Vec<(Arc<str>, Kind, u32)> = Vec::new();
        let mut parts: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for (key, rank) in items {
            match key {
                PathKey::Any => add(&mut any, rank),
                PathKey::Exact(path) => keys.push((path, Kind::Exact, rank)),
                PathKey::Prefix(path) => keys.push((path, Kind::Prefix, rank)),
                PathKey::Part(part) => add(parts.entry(part).or_default(), rank),
            }
        }
        let paths = if keys.len() <= MOST_FEW { Paths::few(keys) } else { Paths::many(keys) };
        Self { paths, parts: Substrings::build(parts, Vec::into).map(Box::new), any: any.into() }
    }

    /// Hands over every list of ranks that may concern the path: the most specific first.
    pub(super) fn visit(&self, path: &str, mut see: impl FnMut(&[u32])) {
        match &self.paths {
            Paths::Few(few) => {
                for few in few {
                    if few.concerns(path) {
                        see(&few.ranks);
                    }
                }
            }
            Paths::Many(tree) => tree.visit(path.as_bytes(), &mut see),
        }
        if let Some(parts) = &self.parts {
            parts.visit(path, &mut |ranks| see(ranks));
        }
        if !self.any.is_empty() {
            see(&self.any);
        }
    }
}

/// A rule can arrive at the same place in several ways.
fn add(list: &mut Vec<u32>, rank: u32) {
    if list.last() != Some(&rank) {
        list.push(rank);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Exact,
    Prefix,
}

impl Paths {
    fn few(mut keys: Vec<(Arc<str>, Kind, u32)>) -> Self {
        keys.sort_unstable_by(|(a, kind_a, rank_a), (b, kind_b, rank_b)| {
            (b.len(), kind_a, a, rank_a).cmp(&(a.len(), kind_b, b, rank_b))
        });
        keys.dedup();
        let alike = keys.chunk_by(|(a, kind_a, _), (b, kind_b, _)| (a, kind_a) == (b, kind_b));
        let few = alike.map(|alike| Few {
            path: alike[0].0.clone(),
            is_exact: alike[0].1 == Kind::Exact,
            ranks: alike.iter().map(|(.., rank)| *rank).collect(),
        });
        Self::Few(few.collect())
    }

    fn many(keys: Vec<(Arc<str>, Kind, u32)>) -> Self {
        let mut lists: BTreeMap<Arc<str>, Lists> = BTreeMap::new();
        for (path, kind, rank) in keys {
            let lists = lists.entry(path).or_default();
            let list = if kind == Kind::Exact { &mut lists.exact } else { &mut lists.prefix };
            add(list, rank);
        }
        Self::Many(Box::new(Tree::build(&lists.into_iter().collect::<Vec<_>>())))
    }
}

impl Few {
    fn concerns(&self, path: &str) -> bool {
        if self.is_exact { *path == *self.path } else { path.starts_with(&*self.path) }
    }
}
