//! Events: what readers are told, live and after an absence.
//!
//! The store is the truth: every event lies there with its place in the order of commits. A hub
//! reads each new event once for the whole process and hands it to every subscription; one that is
//! too slow, or comes back with the place it last saw, reads what it missed from the store.

mod frame;
mod hub;

pub use frame::{Frame, Words};
pub use hub::{Hub, Subscription};
