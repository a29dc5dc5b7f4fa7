//! `cargo xtask font`: the font that `onepath-picture` carries, packed anew.

use std::path::Path;

use crate::run::{Outcome, cargo, step};

/// Where Debian's package `unifont` puts glyphs, and the places of marks.
const SOURCES: [&str; 2] =
    ["/usr/share/unifont/unifont.hex", "/usr/share/unifont/plane00-combining.txt"];

/// Packs the two files that are given, else those of Debian's package.
pub(crate) fn font(args: &[String]) -> Outcome {
    let sources = match args {
        [] => SOURCES.map(str::to_owned),
        [glyphs, marks] => [glyphs.clone(), marks.clone()],
        _ => return Err("font takes two files: glyphs (.hex) and combining marks".to_owned()),
    };
    if let Some(missing) = sources.iter().find(|source| !Path::new(source).is_file()) {
        return Err(format!(
            "`{missing}` is missing: install Debian's package `unifont`, or give two files: \
             glyphs (.hex) and combining marks"
        ));
    }
    step(
        "pack the font",
        cargo()
            .args(["run", "--quiet", "--package", "onepath-picture", "--example", "pack_font"])
            .arg("--")
            .args(sources)
            .arg("picture/font/unifont.bin"),
    )
}
