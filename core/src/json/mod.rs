//! Reading JSON text: one reader for every door.
//!
//! [`reader`] pulls values out of a text without copying what needs no copy; [`value`] is any JSON
//! where a field is open; [`locate`] maps between pointers and bytes, for findings only.

#[cfg(any(test, target_arch = "wasm32"))]
pub(crate) mod decimal;
pub(crate) mod locate;
pub(crate) mod number;
pub(crate) mod reader;
pub(crate) mod scan;
pub(crate) mod text;
pub(crate) mod value;
pub(crate) mod write;

pub(crate) use reader::{Key, Reader};
