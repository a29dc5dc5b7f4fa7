//! What is remembered for a moment: hints in front of the store, which stays the truth.

mod answers;
mod recent;
mod tally;

pub use answers::Answers;
pub use recent::Recent;
pub use tally::Tally;
