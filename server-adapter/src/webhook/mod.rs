//! Webhooks: what providers report to us, and what we report to tenants.
//!
//! Of what comes in nothing is believed that is not signed, and what is believed is a hint: the row
//! becomes due and its provider is asked (`store/webhooks.rs`). Without a single webhook everything
//! still ends, by polling.

mod deliver;
mod door;
pub mod verify;

pub(crate) use deliver::deliver;
pub use door::{BadPublicUrl, Doors, PublicUrl, hash_token};
