//! `cargo xtask deny`: which crates, under which licences, from where.

use crate::run::{Outcome, cargo, has, step};

/// Checks bans, licences and sources by `deny.toml`. Advisories need a network and are left out.
pub(crate) fn deny(_: &[String]) -> Outcome {
    if !has("cargo-deny") {
        step(
            "install cargo-deny (a quarter of an hour, once)",
            cargo().args(["install", "cargo-deny", "--locked"]),
        )?;
    }
    step("bans, licences, sources", cargo().args(["deny", "check", "bans", "licenses", "sources"]))
}
