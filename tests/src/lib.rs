//! Golden vectors of version 1, generated files, and helpers of the cross-room tests.

pub mod corpus;
pub mod generated;
pub mod json;
pub mod typescript;
pub mod v1;

use std::path::{Path, PathBuf};

/// The folder of golden data.
#[must_use]
pub fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
