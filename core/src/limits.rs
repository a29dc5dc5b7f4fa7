//! The limits of reading, in one place (contract §2, row "size").

/// Bytes of one node config.
pub const CONFIG_BYTES: usize = 256 * 1024;
/// Nesting depth; the root is 1.
pub const DEPTH: usize = 64;
/// Items of one list.
pub const ITEMS: usize = 10_000;
/// Members of one open map.
pub const MEMBERS: usize = 1_000;
/// Unicode scalar values of one text.
pub const TEXT: usize = 100_000;
/// Faults that are listed; a document with more is listed up to here.
pub const FAULTS: usize = 1_000;
/// The largest whole number that every language holds exactly: 2^53−1.
pub const SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
pub(crate) const SAFE_INTEGER_U64: u64 = 9_007_199_254_740_991;
/// Unicode scalar values of a seed given as text.
pub const SEED: usize = 128;
