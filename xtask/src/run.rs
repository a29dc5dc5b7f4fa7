//! Running programs, and installing what a fresh machine lacks.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a step gives: nothing, or what went wrong in one line.
pub(crate) type Outcome = Result<(), String>;

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A program, to be run in the project's root.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Cargo, as this process was started with.
pub(crate) fn cargo() -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
}

/// Runs a step; its output goes where ours goes.
pub(crate) fn step(what: &str, command: &mut Command) -> Outcome {
    eprintln!("── {what}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: failed ({status})")),
        Err(error) => Err(format!("{what}: {} did not start: {error}", name(command))),
    }
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// Whether a program is there.
pub(crate) fn has(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

/// Installs a Debian package unless the program is there; says what to do where that is not
/// possible.
pub(crate) fn need(wanted: &str, packages: &[&str]) -> Outcome {
    if has(wanted) {
        return Ok(());
    }
    install(wanted, packages)?;
    if has(wanted) {
        Ok(())
    } else {
        Err(format!("`{wanted}` is still missing after {}", packages.join(", ")))
    }
}

/// Installs PostgreSQL unless a version is there; Debian keeps its programs apart from the others.
pub(crate) fn need_postgresql() -> Outcome {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut programs = versions.map(|version| version.path().join("bin/initdb"));
    if has("initdb") || programs.any(|program| program.is_file()) {
        return Ok(());
    }
    install("initdb", &["postgresql"])
}

/// Installs Debian packages, or says which.
fn install(wanted: &str, packages: &[&str]) -> Outcome {
    if !has("apt-get") {
        return Err(format!("`{wanted}` is missing: install {}", packages.join(", ")));
    }
    let mut update = apt();
    step("apt-get update", update.arg("update").arg("-qq"))?;
    let mut install = apt();
    install.args(["install", "-qq", "--yes", "--no-install-recommends"]).args(packages);
    step(&format!("install {}", packages.join(", ")), &mut install)
}

fn apt() -> Command {
    let mut command = if has("sudo") && !is_root() {
        let mut command = program("sudo");
        command.arg("apt-get");
        command
    } else {
        program("apt-get")
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    std::env::var_os("USER").is_some_and(|user| user == "root")
        || std::env::var_os("HOME").is_some_and(|home| home == "/root")
}

/// Node, as it is found.
pub(crate) fn node() -> Command {
    program("node")
}

/// Installs a package's dependencies where they are not there yet.
pub(crate) fn npm_install(what: &str, folder: &Path) -> Outcome {
    need("node", &["nodejs"])?;
    need("npm", &["npm"])?;
    let wanted = std::fs::read_to_string(folder.join("package.json"))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let stamp = folder.join("node_modules/.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut install = program("npm");
    install.current_dir(folder).args([
        "install",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--no-package-lock",
    ]);
    step(&format!("npm install: {what}"), &mut install)?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// A Python of its own below a folder, with these packages; gives the folder of its programs.
pub(crate) fn python_with(home: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    need("python3", &["python3", "python3-venv"])?;
    let venv = home.join("venv");
    let (programs, stamp) = (venv.join("bin"), venv.join("installed"));
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    step("python venv", program("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut pip = program(&programs.join("python").to_string_lossy());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    step(&packages.join(", "), &mut pip)?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(programs)
}

/// Copies the files of a folder, and of the folders in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Outcome {
    let fail = |path: &Path, error: &std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(to).map_err(|error| fail(to, &error))?;
    for entry in std::fs::read_dir(from).map_err(|error| fail(from, &error))? {
        let path = entry.map_err(|error| fail(from, &error))?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            if name != "node_modules" && name != "__pycache__" {
                copy_folder(&path, &to.join(name))?;
            }
        } else {
            std::fs::copy(&path, to.join(name)).map_err(|error| fail(&path, &error))?;
        }
    }
    Ok(())
}
