//! `cargo xtask pkg`: the npm package, from the crate to the tarball.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, cargo, copy_folder, has, need, node, npm_install, program, root, step};

const TARGET: &str = "wasm32-unknown-unknown";

/// The suites of `tests/pkg` that the test command runs.
pub(crate) const SUITES: [&str; 9] = [
    "vectors", "parity", "misuse", "document", "package", "client", "webhooks", "server",
    "chromium",
];

/// Builds the package and says how large it is.
pub(crate) fn pkg(_: &[String]) -> Outcome {
    let built = build(Snapshot::Write)?;
    sizes(&built)?;
    println!("packed {}", built.tarball.display());
    Ok(())
}

/// `cargo xtask matrix`: the packed package in the tools that people have.
pub(crate) fn matrix(_: &[String]) -> Outcome {
    need("chromium", &["chromium"])?;
    let built = build(Snapshot::Check)?;
    let home = root().join("target/pkg/matrix");
    copy_folder(&root().join("tests/matrix"), &home)?;
    npm_install("the tools of the matrix", &home)?;
    let tools = step("matrix", node().arg(home.join("matrix.mjs")).arg(&built.tarball));
    clients()?;
    tools
}

/// Clients that generators make of openapi.json: compiled, and spoken with to a real server.
fn clients() -> Outcome {
    let home = root().join("target/clients");
    copy_folder(&root().join("tests/clients"), &home)?;
    npm_install("generators of clients", &home)?;
    step("build onepath", cargo().args(["build", "--quiet", "--package", "onepath-cli"]))?;
    step("clients of openapi.json", node().arg(home.join("clients.mjs")).arg(root()))
}

/// A package that was built.
pub(crate) struct Built {
    /// The folder that was packed.
    pub(crate) folder: PathBuf,
    /// The packed file.
    pub(crate) tarball: PathBuf,
}

/// What is done when the committed declarations are not those of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Snapshot {
    /// They are written, for their diff to be read.
    Write,
    /// It is a failure.
    Check,
}

/// The folder of the tests and tools of the package, with everything installed.
pub(crate) fn tools() -> Result<PathBuf, String> {
    let home = root().join("target/pkg/tests");
    copy_folder(&root().join("tests/pkg"), &home)?;
    npm_install("tools of the package", &home)?;
    Ok(home)
}

/// Builds and packs.
pub(crate) fn build(snapshot: Snapshot) -> Result<Built, String> {
    need("cc", &["gcc", "libc6-dev"])?;
    need_target()?;
    let tools = tools()?;
    step(
        "build the module",
        cargo()
            .args(["build", "--quiet", "--package", "onepath-wasm", "--profile", "wasm"])
            .args(["--target", TARGET]),
    )?;
    let folder = root().join("target/pkg/package");
    let dist = folder.join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(&dist).map_err(|error| format!("{}: {error}", dist.display()))?;
    step(
        "its JavaScript side",
        cargo()
            .args(["run", "--quiet", "--package", "onepath-bindgen", "--"])
            .arg(format!("target/{TARGET}/wasm/onepath_wasm.wasm"))
            .arg("pkg/src")
            .arg(&dist),
    )?;
    declarations(&dist, snapshot)?;
    fill(&folder, &dist)?;
    step(
        "compile the client and the verifier",
        program(&tools.join("node_modules/.bin/tsc").to_string_lossy())
            .args(["--project", "pkg/tsconfig.json", "--outDir"])
            .arg(&dist),
    )?;
    Ok(Built { tarball: pack(&folder)?, folder })
}

fn need_target() -> Outcome {
    let sysroot = |command: &mut Command| {
        let output = command.args(["--print", "sysroot"]).output().ok()?;
        Some(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    };
    let there = sysroot(&mut program("rustc"))
        .is_some_and(|home| home.join("lib/rustlib").join(TARGET).is_dir());
    if there {
        return Ok(());
    }
    if !has("rustup") {
        return Err(format!(
            "the standard library for `{TARGET}` is missing: install it beside rustc"
        ));
    }
    step(&format!("rustup target add {TARGET}"), program("rustup").args(["target", "add", TARGET]))
}

/// The declarations of all types and of the functions over them, in one file that is committed.
fn declarations(dist: &Path, snapshot: Snapshot) -> Outcome {
    let read = |path: PathBuf| {
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let functions = read(dist.join("bindings.d.ts"))?;
    let functions: Vec<&str> = functions.lines().filter(|line| !line.starts_with("/* ")).collect();
    let types = read(root().join("pkg/src/types.d.ts"))?;
    fs::remove_file(dist.join("bindings.d.ts")).map_err(|error| error.to_string())?;
    // Classes of the module can be disposed of; older targets have no word for that.
    let text = format!(
        "/// <reference lib=\"esnext.disposable\" />\n{types}\n{}\n",
        functions.join("\n").trim()
    );
    let committed = root().join("pkg/src/index.d.ts");
    if fs::read_to_string(&committed).is_ok_and(|known| known == text) {
        return Ok(());
    }
    if snapshot == Snapshot::Check {
        return Err(
            "pkg/src/index.d.ts is not current: run `cargo xtask pkg` and read its diff".to_owned()
        );
    }
    println!("pkg/src/index.d.ts has changed: read its diff");
    fs::write(&committed, &text).map_err(|error| format!("{}: {error}", committed.display()))
}

/// What the package holds beside the module.
fn fill(folder: &Path, dist: &Path) -> Outcome {
    let copy = |from: &Path, to: &Path| {
        fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
    };
    let sources = root().join("pkg/src");
    for entry in fs::read_dir(&sources).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // The rest of the JavaScript has gone into the files that `onepath-bindgen` writes.
        let packed = name == "codes.js" || (name.ends_with(".d.ts") && name != "types.d.ts");
        if packed {
            copy(&path, &dist.join(name))?;
        }
    }
    for name in ["package.json", "README.md"] {
        copy(&root().join("pkg").join(name), &folder.join(name))?;
    }
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&root().join(name), &folder.join(name))?;
    }
    copy_folder(&root().join("schemas"), &folder.join("schema"))?;
    // The server's own description is no schema of a document.
    let openapi = folder.join("schema/openapi.json");
    fs::remove_file(&openapi).map_err(|error| format!("{}: {error}", openapi.display()))?;
    shrink(&folder.join("schema"))
}

/// Takes the space between the tokens of every JSON file below a folder: nobody reads them there.
fn shrink(folder: &Path) -> Outcome {
    let fail = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    for entry in fs::read_dir(folder).map_err(|error| fail(folder, error))? {
        let path = entry.map_err(|error| fail(folder, error))?.path();
        if path.is_dir() {
            shrink(&path)?;
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| fail(&path, error))?;
        let (mut inside, mut escaped) = (false, false);
        let dense: String = text
            .chars()
            .filter(|character| {
                let kept = inside || !character.is_ascii_whitespace();
                inside ^= *character == '"' && !escaped;
                escaped = inside && *character == '\\' && !escaped;
                kept
            })
            .collect();
        fs::write(&path, dense + "\n").map_err(|error| fail(&path, error))?;
    }
    Ok(())
}

fn pack(folder: &Path) -> Result<PathBuf, String> {
    let home = root().join("target/pkg");
    let mut npm = program("npm");
    npm.current_dir(folder).args(["pack", "--silent", "--pack-destination"]).arg(&home);
    step("npm pack", npm.stdout(std::process::Stdio::null()))?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(home.join(format!("onepath-{version}.tgz")))
}

/// Prints the sizes and compares them with the budget.
pub(crate) fn sizes(built: &Built) -> Outcome {
    step(
        "sizes of the package",
        node().arg("tests/pkg/sizes.mjs").arg(built.folder.join("dist")).arg(&built.tarball),
    )
}

/// Puts the packed package where the tests import it from.
pub(crate) fn unpack(built: &Built, tools: &Path) -> Outcome {
    let home = tools.join("node_modules/onepath");
    if home.exists() {
        fs::remove_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    }
    fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    let mut tar = program("tar");
    tar.arg("-xzf").arg(&built.tarball).arg("-C").arg(&home).arg("--strip-components=1");
    step("unpack the package", &mut tar)
}

/// Python with a canonicalizer that is not ours.
pub(crate) fn python() -> Result<PathBuf, String> {
    need("python3", &["python3", "python3-venv"])?;
    let venv = root().join("target/pkg/venv");
    let python = venv.join("bin/python");
    let stamp = venv.join("installed");
    if !stamp.is_file() {
        step("python venv", program("python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = program(&python.to_string_lossy());
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "rfc8785==0.1.4",
        ]);
        step("a canonicalizer in Python", &mut pip)?;
        fs::write(&stamp, "").map_err(|error| format!("{}: {error}", stamp.display()))?;
    }
    Ok(python)
}
