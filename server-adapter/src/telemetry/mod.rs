//! How runs went: what the store keeps of each, and what is told of many.

mod histogram;
pub mod metrics;
mod summary;

pub use histogram::{ERROR, Histogram, bin, middle};
pub use summary::{Quantiles, Summary, Window, summarize};
