//! From the compiled module to what the npm package holds of it.
//!
//! `onepath-bindgen MODULE FOLDER` writes `onepath.wasm`, `bindings.js` (functions over a module
//! that a loader hands in), `door.js`, `inline.js` (the module as text, deflated), `api.js` (the public names)
//! and `bindings.d.ts`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use base64::Engine as _;
use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(module), Some(folder), None) = (args.next(), args.next(), args.next()) else {
        eprintln!("usage: onepath-bindgen MODULE FOLDER");
        return ExitCode::from(2);
    };
    match write(Path::new(&module), Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("onepath-bindgen: {message}");
            ExitCode::FAILURE
        }
    }
}

fn write(module: &Path, folder: &Path) -> Result<(), String> {
    let raw = folder.join("raw");
    let fail = |error: &dyn std::fmt::Display| error.to_string();
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("onepath")
        .remove_name_section(true)
        .remove_producers_section(true)
        .typescript(true)
        .encode_into(EncodeInto::Always)
        .bundler(true)
        .and_then(Bindgen::generate_output)
        .and_then(|mut output| output.emit(&raw))
        .map_err(|error| format!("{error:#}"))?;
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()));
    let put = |name: &str, text: &str| {
        fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))
    };

    let snippet = only_file(&raw.join("snippets"))?;
    put("door.js", &without_comments(&read(&snippet)?))?;
    let inside = snippet.strip_prefix(&raw).map_err(|error| fail(&error))?;
    let import = format!("'./{}'", inside.display());
    let bindings = read(&raw.join("onepath_bg.js"))?;
    if bindings.matches(&import).count() != 1 {
        return Err(format!("the bindings should import {import} once"));
    }
    put("bindings.js", &without_comments(&bindings.replace(&import, "'./door.js'")))?;

    let types = read(&raw.join("onepath.d.ts"))?;
    let names: Vec<&str> = types
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix("export function ").or(line.strip_prefix("export class "));
            rest?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
        })
        .collect();
    if names.is_empty() {
        return Err("the module exports nothing".to_owned());
    }
    put(
        "api.js",
        &format!(
            "export {{\n  {},\n}} from './bindings.js';\nexport {{ OnepathRefusal }} from './door.js';\n",
            names.join(",\n  ")
        ),
    )?;
    put("bindings.d.ts", &types)?;
    let module = fs::read(raw.join("onepath_bg.wasm")).map_err(|error| fail(&error))?;
    let packed = miniz_oxide::deflate::compress_to_vec(&module, 10);
    let inline = base64::engine::general_purpose::STANDARD.encode(packed);
    let size = module.len();
    put("inline.js", &format!("export const size = {size};\nexport default '{inline}';\n"))?;
    fs::write(folder.join("onepath.wasm"), &module).map_err(|error| fail(&error))?;
    fs::remove_dir_all(&raw).map_err(|error| fail(&error))
}

/// The comments are in the declarations, where editors look for them.
fn without_comments(text: &str) -> String {
    let mut inside = false;
    let kept = text.lines().map(str::trim_start).filter(|line| {
        let starts = line.starts_with("/**");
        let comment = inside || starts;
        inside = comment && !line.ends_with("*/");
        !comment && !line.is_empty() && !line.starts_with("//")
    });
    kept.fold(String::new(), |out, line| out + line + "\n")
}

/// The one file below a folder.
fn only_file(folder: &Path) -> Result<std::path::PathBuf, String> {
    let mut at = folder.to_path_buf();
    while at.is_dir() {
        let mut below = fs::read_dir(&at).map_err(|error| format!("{}: {error}", at.display()))?;
        let (Some(Ok(entry)), None) = (below.next(), below.next()) else {
            return Err(format!("{} should hold one thing", at.display()));
        };
        at = entry.path();
    }
    Ok(at)
}
