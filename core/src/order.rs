//! Sorting where speed does not matter: one compiled sort for all of it.

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
}
