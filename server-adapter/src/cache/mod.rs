//! What is remembered for a moment: hints in front of the store, which stays the truth.

mod recent;

pub use recent::Recent;
