//! Hashes and keys of the system that came before, reproduced exactly and proven by its vectors, and
//! its names, to find who still uses them.
//!
//! Nothing of the path uses them; they exist to move data and callers. Deletable in one commit: this
//! folder, the feature `legacy`, the two operations of [`batch`](crate::batch), `onepath legacy`.

mod hash;
mod jobs;
mod key;
mod names;

pub use hash::legacy_hash;
pub use jobs::{CreateJobRequest, job_pointer};
pub use key::legacy_key;
pub use names::{OLD_NAMES, OldKind, OldName, OldUse, find_old_names};
