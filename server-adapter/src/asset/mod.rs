//! The bytes of assets: how they come in, what they are, and where they lie.

mod blobs;
mod content;
mod inspect;
#[cfg(feature = "s3")]
mod s3;

pub use blobs::{BlobError, Blobs, HandOut, Placed, Stream};
pub(crate) use content::MOST_OUTPUT;
pub use content::{Content, Intake, IntakeError, Source, Spool};
pub use inspect::{Inspected, NotMedia, THUMBNAIL, Thumbnail, inspect, thumbnail};
#[cfg(feature = "s3")]
pub use s3::S3;
