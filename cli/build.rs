//! Takes the built editor into the program, if it was built: `cargo xtask editor` does that.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let editor = here.join("../examples/editor");
    let built = editor.join("dist");
    // The folder above, so that the first build of the editor is seen, too.
    println!("cargo::rerun-if-changed={}", editor.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if built.join("index.html").is_file() {
        collect(&fs::canonicalize(&built)?, "", &mut files)?;
    }
    files.sort();
    let mut code = String::from("&[\n");
    for (path, file) in files {
        writeln!(
            code,
            "    PageFile {{ path: {path:?}, media_type: {:?}, bytes: include_bytes!({:?}) }},",
            media_type(&file)?,
            file.display().to_string(),
        )?;
    }
    code.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("editor.rs"), code)?;
    Ok(())
}

/// Every file below a folder with its path from there.
fn collect(
    folder: &Path,
    above: &str,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a name is not UTF-8")?;
        let path = format!("{above}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push((path, entry.path()));
        }
    }
    Ok(())
}

fn media_type(file: &Path) -> Result<&'static str, String> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => Ok("text/html; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        Some("wasm") => Ok("application/wasm"),
        Some("json") => Ok("application/json"),
        _ => Err(format!("{}: no media type is known for it", file.display())),
    }
}
