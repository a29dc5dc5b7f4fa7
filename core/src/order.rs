//! Sorting where speed does not matter: one compiled sort for all of it.

use std::borrow::Cow;
use std::cmp::Ordering;

/// The places `0..len`, sorted as `compare` says; equal ones keep their order.
pub(crate) fn sorted(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    // Runs of 1, 2, 4, … are merged from one list into another. The standard library's sort is
    // faster and twenty times the code.
    let mut order: Vec<usize> = (0..len).collect();
    let mut run = 1;
    while run < len {
        let mut merged = Vec::with_capacity(len);
        for pair in order.chunks(run * 2) {
            let (mut one, mut other) = pair.split_at_checked(run).unwrap_or((pair, &[]));
            while let (Some((&left, lefts)), Some((&right, rights))) =
                (one.split_first(), other.split_first())
            {
                if compare(left, right) == Ordering::Greater {
                    merged.push(right);
                    other = rights;
                } else {
                    merged.push(left);
                    one = lefts;
                }
            }
            merged.extend_from_slice(one);
            merged.extend_from_slice(other);
        }
        order = merged;
        run *= 2;
    }
    order
}

/// Puts names in the order of their bytes.
pub(crate) fn sort_names(names: &mut Vec<&str>) {
    let of = |index: usize| names.get(index).copied().unwrap_or_default();
    let order = sorted(names.len(), &mut |one, other| of(one).cmp(of(other)));
    *names = order.into_iter().map(of).collect();
}

/// Names that were seen.
///
/// The last few stand in a list; the others in sorted runs, each longer than the next, so that a
/// name is looked up in few of them and moved seldom however many there are.
#[derive(Debug, Default)]
pub(crate) struct NameSet<'n> {
    last: Vec<Cow<'n, str>>,
    runs: Vec<Vec<Cow<'n, str>>>,
}

impl<'n> NameSet<'n> {
    const LAST: usize = 16;

    /// Notes a name; false if it was there before.
    pub(crate) fn insert(&mut self, name: Cow<'n, str>) -> bool {
        let known = |run: &Vec<Cow<'n, str>>| {
            run.binary_search_by(|known| known.as_ref().cmp(name.as_ref())).is_ok()
        };
        if self.last.contains(&name) || self.runs.iter().any(known) {
            return false;
        }
        self.last.push(name);
        if self.last.len() == Self::LAST {
            let mut all = std::mem::take(&mut self.last);
            while self.runs.last().is_some_and(|run| run.len() <= all.len()) {
                all.extend(self.runs.pop().into_iter().flatten());
            }
            let of = |index: usize| all.get(index).map_or("", AsRef::as_ref);
            let order = sorted(all.len(), &mut |one, other| of(one).cmp(of(other)));
            self.runs.push(in_order(all, order));
        }
        true
    }
}

/// The items of a list in another order.
pub(crate) fn in_order<T>(items: Vec<T>, order: Vec<usize>) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| items.get_mut(index)?.take()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_the_standard_library_sorts(items in proptest::collection::vec((0_u8..9, 0_u8..9), 0..80)) {
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            let order = sorted(items.len(), &mut |one, other| items[one].0.cmp(&items[other].0));
            let sorted: Vec<_> = order.into_iter().map(|index| items[index]).collect();
            prop_assert_eq!(&sorted, &expected);
        }
    }
    proptest! {
        #[test]
        fn a_name_is_new_once(names in proptest::collection::vec(0_u16..200, 0..400)) {
            let mut expected = std::collections::BTreeSet::new();
            let mut seen = NameSet::default();
            for name in names {
                prop_assert_eq!(seen.insert(name.to_string().into()), expected.insert(name));
            }
        }
    }
}
