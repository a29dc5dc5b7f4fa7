//! What is remembered for a moment: hints in front of the store, which stays the truth.

mod recent;
mod tally;

pub use recent::Recent;
pub use tally::Tally;
