//! `cargo xtask up`: build the command, start the server, and bring the example game to it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::editor;
use crate::run::{Outcome, cargo, need, program, root, step};

/// Where the server of `up` listens, unless `--listen` says otherwise.
const LISTEN: &str = "127.0.0.1:7700";

/// Where it keeps everything, unless `--data` says otherwise.
const DATA: &str = "onepath-data";

/// Ratings of the example world and its player.
const BOUNDS: &str = "romantic,romantic";

/// Builds `onepath`, starts its server, bakes `examples/scenes` on it, and keeps serving until
/// Ctrl-C. `--once` ends after the walk instead.
pub(crate) fn up(args: &[String]) -> Outcome {
    let wanted = Wanted::read(args)?;
    need("cc", &["gcc", "libc6-dev"])?;
    editor::if_possible();
    step("build onepath", cargo().args(["build", "--release", "--package", "onepath-cli"]))?;
    let onepath = root().join("target/release/onepath");
    let prompts = ["--prompts", "examples/scenes/prompts.json"];
    step(
        "onepath check examples/scenes",
        program(&onepath.to_string_lossy()).args(["check", "examples/scenes"]).args(prompts),
    )?;
    let (mut server, address, key) = start(&onepath, &wanted)?;
    let baked = step(
        "onepath bake examples/scenes",
        program(&onepath.to_string_lossy())
            .args(["bake", "examples/scenes", "--provider", "local", "--server", &address])
            .args(prompts)
            .env("ONEPATH_KEY", &key),
    );
    if baked.is_err() || wanted.once {
        end(&mut server);
        return baked;
    }
    println!("\nonepath serves {address} with the key {key}; Ctrl-C ends it");
    // Browsers send to nobody what stands behind the `#`.
    println!("the editor: {address}/#key={key}");
    // The server hears Ctrl-C too, and ends in its own time.
    ctrlc::set_handler(|| ()).map_err(|error| format!("Ctrl-C: {error}"))?;
    match server.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the server ended: {status}")),
        Err(error) => Err(format!("the server: {error}")),
    }
}

/// What the arguments say.
struct Wanted {
    listen: String,
    data: String,
    once: bool,
}

impl Wanted {
    fn read(args: &[String]) -> Result<Self, String> {
        let mut wanted = Self { listen: LISTEN.to_owned(), data: DATA.to_owned(), once: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().cloned().ok_or(format!("{arg}: a value is missing"));
            match arg.as_str() {
                "--listen" => wanted.listen = value()?,
                "--data" => wanted.data = value()?,
                "--once" => wanted.once = true,
                _ => {
                    return Err(format!("`{arg}` is not known: --listen ADDR, --data DIR, --once"));
                }
            }
        }
        Ok(wanted)
    }
}

/// Starts the server and waits until it says where it listens, and its key.
fn start(onepath: &Path, wanted: &Wanted) -> Result<(Child, String, String), String> {
    eprintln!("── onepath serve --dev --listen {} --data {}", wanted.listen, wanted.data);
    let mut command = program(&onepath.to_string_lossy());
    command.args(["serve", "--dev", "--dev-bounds", BOUNDS]);
    command.args(["--listen", &wanted.listen, "--data", &wanted.data]);
    command.env("ONEPATH_LOG", std::env::var("ONEPATH_LOG").unwrap_or("warn".to_owned()));
    let mut server = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the server did not start: {error}"))?;
    let output = server.stdout.take().ok_or("the server has no output")?;
    let mut lines = BufReader::new(output).lines();
    let mut after = |word: &str| -> Result<String, String> {
        match lines.next() {
            Some(Ok(line)) => match line.strip_prefix(word) {
                Some(rest) => Ok(rest.to_owned()),
                None => Err(format!("the server said `{line}`")),
            },
            _ => Err(format!(
                "the server ended: see above; `--listen ADDR` takes another address than {}",
                wanted.listen
            )),
        }
    };
    match after("onepath serves ").and_then(|address| Ok((address, after("key ")?))) {
        Ok((address, key)) => Ok((server, address, key)),
        Err(error) => {
            end(&mut server);
            Err(error)
        }
    }
}

/// Ends the server at once; what it keeps is durable.
fn end(server: &mut Child) {
    let _ = server.kill();
    let _ = server.wait();
}
