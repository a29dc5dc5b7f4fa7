//! What was made: proven to be what it says, kept under the hash of its bytes.

mod blobs;
mod inspect;

pub use blobs::{BlobError, Blobs};
pub use inspect::{Inspected, NotMedia, inspect};
