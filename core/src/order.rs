//! Sorting where speed does not matter: one compiled sort for all of it.

use std::cmp::Ordering;

/// The places `0..len`, sorted as `compare` says; equal ones keep their order.
pub(crate) fn sorted(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|one, other| compare(*one, *other));
    order
}
