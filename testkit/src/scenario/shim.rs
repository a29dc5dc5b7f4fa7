//! The shim between a program and the system (`testkit/shim/shim.c`), built where it is needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use onepath_testkit::Fallible;

const SOURCE: &str = include_str!("../../shim/shim.c");

/// The shim, built in a folder.
#[derive(Debug, Clone)]
pub(super) struct Shim(PathBuf);

impl Shim {
    /// Builds it.
    pub(super) fn build(folder: &Path) -> Fallible<Self> {
        let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
        std::fs::write(&source, SOURCE).map_err(|e| format!("{}: {e}", source.display()))?;
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(&source)
            .output()
            .map_err(|error| format!("cc: {error}"))?;
        if built.status.success() {
            Ok(Self(library))
        } else {
            Err(format!("the shim is not built: {}", String::from_utf8_lossy(&built.stderr)))
        }
    }

    /// The variables that put it between a program and the system.
    pub(super) fn env(&self, more: &[(&str, String)]) -> Vec<(String, String)> {
        let own = ("LD_PRELOAD".to_owned(), self.0.display().to_string());
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        std::iter::once(own).chain(more).collect()
    }
}
