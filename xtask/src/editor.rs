//! `cargo xtask editor`: the node editor, from `examples/editor` to the files that the server has
//! in it.

use std::path::PathBuf;

use crate::pkg::{self, Snapshot};
use crate::run::{Outcome, copy_folder, has, npm_install, program, root, step};

/// Builds the package and the editor on it.
pub(crate) fn editor(_: &[String]) -> Outcome {
    pkg::build(Snapshot::Check)?;
    let home = build()?;
    println!("built examples/editor/dist in {}; a build of onepath takes it in", home.display());
    Ok(())
}

/// Builds the editor where there is Node; a server without it says what is missing.
pub(crate) fn if_possible() {
    if !has("node") || !has("npm") {
        eprintln!("── no editor: it is built with Node 20 and npm, which are not here");
        return;
    }
    if let Err(error) = editor(&[]) {
        eprintln!("── no editor: {error}");
    }
}

/// Builds the editor on the package that lies built in `target/pkg/package`. Gives the folder with
/// its tools, which its tests need, too.
pub(crate) fn build() -> Result<PathBuf, String> {
    let home = root().join("target/editor");
    // What was taken out of the sources must not be found in what is built.
    for stale in ["src", "tests"] {
        let stale = home.join(stale);
        if stale.exists() {
            std::fs::remove_dir_all(&stale)
                .map_err(|error| format!("{}: {error}", stale.display()))?;
        }
    }
    copy_folder(&root().join("examples/editor"), &home)?;
    npm_install("the editor", &home)?;
    let tool = |name: &str| {
        let mut tool = program(&home.join("node_modules/.bin").join(name).to_string_lossy());
        tool.current_dir(&home);
        tool
    };
    step("types of the editor", tool("tsc").arg("--noEmit"))?;
    let dist = root().join("examples/editor/dist");
    step(
        "build the editor",
        tool("vite").args(["build", "--logLevel", "warn", "--outDir"]).arg(dist),
    )?;
    Ok(home)
}
