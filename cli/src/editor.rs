//! The editor that is served at `/`, as far as it was built with the program.

use onepath_server::http::{PageFile, Pages};

/// The files of `examples/editor/dist`, from the build script.
const FILES: &[PageFile] = include!(concat!(env!("OUT_DIR"), "/editor.rs"));

/// What `/` says without them.
const MISSING: &str = "\
This onepath was built without its editor; the API is here: /openapi.json describes it.

The editor is a page that is built with Node. With Node 20 and npm on this machine, in the
project's folder:

    cargo xtask editor
    cargo build --release --package onepath-cli

or `cargo xtask up`, which does both and starts the server.
";

/// The editor as a page of the server.
pub(crate) const fn pages() -> Pages {
    Pages { files: FILES, missing: MISSING }
}
