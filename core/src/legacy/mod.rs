//! Hashes and keys of the system that came before, reproduced exactly and proven by its vectors.
//!
//! Nothing of the path uses them; they exist to move data. Deletable in one commit: this folder,
//! the feature `legacy`, and the two operations of [`batch`](crate::batch).

mod hash;
mod key;

pub use hash::legacy_hash;
pub use key::legacy_key;
