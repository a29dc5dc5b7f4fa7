//! Which node of one tree is which of the other.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{Made, Node, NodeKind};

/// A node before, and the same one after: places in the two lists.
pub(super) type Pair = (Option<usize>, Option<usize>);

/// Pairs the nodes of two trees: in the order of `head`, those that are gone behind it.
pub(super) fn pairs(base: &[Made<'_>], head: &[Made<'_>]) -> Vec<Pair> {
    let mut pairing =
        Pairing { base, head, before: vec![None; head.len()], taken: vec![false; base.len()] };
    pairing.by(|made| made.node.named.then(|| made.node.own_name()), Ties::InOrder);
    // What has no name is known by what it says, else by its order in the file.
    let nameless = |made: &Made<'_>| (!made.node.named).then(|| made.node.file.to_owned());
    pairing.by(|made| Some((nameless(made)?, made.result()?)), Ties::InOrder);
    pairing.same_text();
    pairing.by(|made| Some((nameless(made)?, made.node.kind)), Ties::InOrder);
    // What left its file: the same key, and the same name if it can be.
    let name = |made: &Made<'_>| made.node.named.then(|| made.node.name.clone());
    pairing.by(|made| Some((made.result()?, made.node.kind, name(made)?)), Ties::InOrder);
    pairing.by(|made| Some((made.result()?, made.node.kind)), Ties::InOrder);
    // A file that is gone and one that is new may be the same under another name.
    let files = |nodes: &[Made<'_>]| -> BTreeSet<String> {
        nodes.iter().map(|made| made.node.file.to_owned()).collect()
    };
    let (old, new) = (files(base), files(head));
    let alone = |made: &Made<'_>| old.contains(made.node.file) != new.contains(made.node.file);
    pairing.by(|made| Some((name(made).filter(|_| alone(made))?, made.node.kind)), Ties::Never);
    pairing.into_pairs()
}

/// What to do when several nodes are alike.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ties {
    InOrder,
    Never,
}

struct Pairing<'p> {
    base: &'p [Made<'p>],
    head: &'p [Made<'p>],
    /// For every node of `head`, its place in `base`.
    before: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl Pairing<'_> {
    /// Pairs what is left and alike.
    fn by<K: Ord>(&mut self, key: impl Fn(&Made<'_>) -> Option<K>, ties: Ties) {
        let mut alike: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (at, made) in self.base.iter().enumerate() {
            if self.taken.get(at) == Some(&false)
                && let Some(key) = key(made)
            {
                alike.entry(key).or_default().0.push(at);
            }
        }
        for (at, made) in self.head.iter().enumerate() {
            if self.before.get(at) == Some(&None)
                && let Some(key) = key(made)
            {
                alike.entry(key).or_default().1.push(at);
            }
        }
        for (before, after) in alike.into_values() {
            if ties == Ties::InOrder || (before.len() == 1 && after.len() == 1) {
                for (before, after) in before.into_iter().zip(after) {
                    self.put(before, after);
                }
            }
        }
    }

    /// Pairs nameless nodes of a file that say the same: those without a key, that is.
    fn same_text(&mut self) {
        for (after, made) in self.head.iter().enumerate() {
            if made.node.named || self.before.get(after) != Some(&None) {
                continue;
            }
            let same = self.base.iter().enumerate().position(|(before, other)| {
                self.taken.get(before) == Some(&false)
                    && !other.node.named
                    && other.node.file == made.node.file
                    && other.node.same_text(made.node)
            });
            if let Some(before) = same {
                self.put(before, after);
            }
        }
    }

    fn put(&mut self, before: usize, after: usize) {
        if let (Some(taken), Some(place)) = (self.taken.get_mut(before), self.before.get_mut(after))
        {
            *taken = true;
            *place = Some(before);
        }
    }

    fn into_pairs(self) -> Vec<Pair> {
        let here = self.before.into_iter().enumerate().map(|(after, before)| (before, Some(after)));
        let gone = self.taken.into_iter().enumerate().filter(|(_, taken)| !taken);
        here.chain(gone.map(|(before, _)| (Some(before), None))).collect()
    }
}

impl Node<'_> {
    fn own_name(&self) -> (String, NodeKind, String, usize) {
        (self.file.to_owned(), self.kind, self.name.clone(), self.occurrence)
    }
}
