//! `cargo xtask bench`: ratios against named peers, measured in one interleaved run.
//!
//! A peer is a process that answers `NAME N` with the CPU nanoseconds an operation of that form
//! took. Every round asks every form once, so that what disturbs the machine disturbs all of them;
//! ratios are medians of the ratios of the same round.

mod editor;
mod server;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use crate::run::{Outcome, cargo, copy_folder, need, node, npm_install, program, root, step};

const ROUNDS: usize = 9;
/// CPU time that one form is given in one round.
const SLICE_NS: u64 = 60_000_000;
const NODES: usize = 100_000;

type Fallible<T> = Result<T, String>;

/// Measures everything and writes `target/bench/table.md`; `bench editor` and `bench server [PART]…`
/// print parts of it.
pub(crate) fn bench(args: &[String]) -> Outcome {
    let home = root().join("target/bench");
    std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    if args.first().is_some_and(|part| part == "editor") {
        copy_folder(&root().join("bench/peers"), &home.join("peers"))?;
        npm_install("peers in Node", &home.join("peers/node"))?;
        let mut table = String::new();
        editor::editor(&home, &mut table)?;
        println!("{table}");
        return Ok(());
    }
    if let Some(("server", parts)) = args.split_first().map(|(what, rest)| (what.as_str(), rest)) {
        server::build(&home)?;
        install(&home)?;
        println!("{}", server::measure(&home, parts)?);
        return Ok(());
    }
    step(
        "build the peers in Rust and the command",
        cargo().args([
            "build",
            "--release",
            "--package",
            "onepath-bench",
            "--package",
            "onepath-cli",
        ]),
    )?;
    server::build(&home)?;
    let venv = install(&home)?;
    let mut table = String::new();
    let _ = writeln!(table, "# Measured ratios\n\n{}\n", machine());
    path(&home, &venv, &mut table)?;
    lines(&home, &venv, &mut table)?;
    one_file(&home, &venv, &mut table)?;
    editor::editor(&home, &mut table)?;
    table.push('\n');
    table.push_str(&server::measure(&home, &[])?);
    let target = home.join("table.md");
    std::fs::write(&target, &table).map_err(|error| format!("{}: {error}", target.display()))?;
    println!("{table}");
    println!("written to {}", target.display());
    Ok(())
}

/// Installs the peers in Node and Python below `target`.
fn install(home: &Path) -> Fallible<PathBuf> {
    copy_folder(&root().join("bench/peers"), &home.join("peers"))?;
    npm_install("peers in Node", &home.join("peers/node"))?;
    need("python3", &["python3", "python3-venv"])?;
    let venv = home.join("venv");
    let python = venv.join("bin/python");
    let stamp = venv.join("installed");
    let wanted = std::fs::read_to_string(home.join("peers/python/requirements.txt"))
        .map_err(|error| error.to_string())?;
    if !std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        step("python venv", program("python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = program(&python.to_string_lossy());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        step("peers in Python", pip.arg(home.join("peers/python/requirements.txt")))?;
        std::fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    }
    Ok(venv)
}

/// What machine this is; whether it has SHA instructions decides what the floor means.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, value)| value).to_owned()
    };
    let flags = field("flags");
    let sha = if flags.split(' ').any(|flag| flag == "sha_ni") { "with" } else { "without" };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores, {sha} SHA instructions", field("model name"))
}

/// A peer that answers.
struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    forms: Vec<String>,
}

impl Peer {
    fn start(command: &mut Command) -> Fallible<Self> {
        let shown = format!("{command:?}");
        let fail = |what: &str| format!("{shown}: {what}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| fail(&error.to_string()))?;
        let input = child.stdin.take().ok_or_else(|| fail("no input"))?;
        let output = BufReader::new(child.stdout.take().ok_or_else(|| fail("no output"))?);
        let mut peer = Self { child, input, output, forms: Vec::new() };
        peer.forms = peer.ask("list")?.split_whitespace().map(str::to_owned).collect();
        Ok(peer)
    }

    fn ask(&mut self, question: &str) -> Fallible<String> {
        let mut answer = String::new();
        writeln!(self.input, "{question}")
            .and_then(|()| self.input.flush())
            .and_then(|()| self.output.read_line(&mut answer))
            .map_err(|error| format!("`{question}`: {error}"))?;
        if answer.is_empty() {
            Err(format!("`{question}`: the peer ended"))
        } else {
            Ok(answer.trim().to_owned())
        }
    }

    fn measure(&mut self, form: &str, count: u64) -> Fallible<f64> {
        let answer = self.ask(&format!("{form} {count}"))?;
        let value = answer.split_whitespace().last().and_then(|value| value.parse().ok());
        value.ok_or_else(|| format!("`{form}` answered `{answer}`"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One form's figures, a round each.
struct Series {
    name: String,
    rounds: Vec<f64>,
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median of the ratios of the same round.
fn ratio(series: &[Series], above: &str, below: &str) -> f64 {
    let find = |name: &str| series.iter().find(|one| one.name == name);
    match (find(above), find(below)) {
        (Some(above), Some(below)) => {
            median(above.rounds.iter().zip(&below.rounds).map(|(above, below)| above / below))
        }
        _ => f64::NAN,
    }
}

/// The path, from text and from values, against its peers.
fn path(home: &Path, venv: &Path, table: &mut String) -> Outcome {
    let payload = root().join("bench/payload/path.jsonl");
    let python = venv.join("bin/python");
    let mut peers = vec![
        Peer::start(program("target/release/onepath-bench").arg(&payload))?,
        Peer::start(node().arg(home.join("peers/node/peer.mjs")).arg(&payload))?,
        Peer::start(
            program(&python.to_string_lossy()).arg(home.join("peers/python/peer.py")).arg(&payload),
        )?,
    ];
    eprintln!("── the path: {ROUNDS} interleaved rounds");
    let mut series: Vec<Series> = Vec::new();
    let mut counts: Vec<u64> = Vec::new();
    for peer in &mut peers {
        for form in peer.forms.clone() {
            // Twice: the first time is for just-in-time compilers.
            peer.measure(&form, 400)?;
            let once = peer.measure(&form, 400)?.max(1.0);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a count"
            )]
            counts.push(((SLICE_NS as f64 / once) as u64).clamp(50, 200_000));
            series.push(Series { name: form, rounds: Vec::new() });
        }
    }
    for _ in 0..ROUNDS {
        let mut at = 0;
        for peer in &mut peers {
            for form in peer.forms.clone() {
                if let (Some(one), Some(count)) = (series.get_mut(at), counts.get(at)) {
                    one.rounds.push(peer.measure(&form, *count)?);
                }
                at += 1;
            }
        }
    }
    let _ = writeln!(
        table,
        "## The path on the realistic node (CPU time an operation, {ROUNDS} interleaved rounds)\n"
    );
    let _ = writeln!(table, "| form | median ns | min..max | × floor |\n|---|---|---|---|");
    for one in &series {
        let low = one.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let high = one.rounds.iter().copied().fold(0.0, f64::max);
        let _ = writeln!(
            table,
            "| {} | {:.0} | {low:.0}..{high:.0} | {:.2} |",
            one.name,
            median(one.rounds.iter().copied()),
            ratio(&series, &one.name, "floor")
        );
    }
    let best = |suffix: &str| {
        let node = series.iter().filter(|one| {
            (one.name.starts_with("zod") || one.name.starts_with("ajv"))
                && one.name.ends_with(suffix)
        });
        node.min_by(|one, other| {
            median(one.rounds.iter().copied()).total_cmp(&median(other.rounds.iter().copied()))
        })
        .map_or(String::new(), |one| one.name.clone())
    };
    let _ = writeln!(table, "\n| goal | asked | measured |\n|---|---|---|");
    let mut goal = |what: &str, asked: &str, measured: f64| {
        let _ = writeln!(table, "| {what} | {asked} | {measured:.2} |");
    };
    goal(
        "from text, times the floor",
        "≤ 5.2 (ambition 4.2)",
        ratio(&series, "onepath-text", "floor"),
    );
    let text = best("text");
    goal(
        &format!("best Node peer ({text}) over ours, from text"),
        "≥ 4",
        ratio(&series, &text, "onepath-text"),
    );
    goal("pydantic over ours, from text", "≥ 7", ratio(&series, "pydantic-text", "onepath-text"));
    goal("naive Rust over ours, from text", "", ratio(&series, "naive-text", "onepath-text"));
    goal(
        "from values, times the floor",
        "≤ 2.0 (ambition 1.6)",
        ratio(&series, "onepath-value", "floor"),
    );
    for other in ["canonical-serde_json_canonicalizer", "canonical-serde_jcs"] {
        goal(
            &format!("{other} over our writer"),
            "≥ 15",
            ratio(&series, other, "canonical-onepath"),
        );
    }
    table.push('\n');
    Ok(())
}

/// CPU time of children that were waited for, in nanoseconds.
fn children_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in parentheses; cutime and cstime are fields 16 and 17, in hundredths.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let field =
        |index: usize| fields.get(index).and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0);
    (field(13) + field(14)) * 10_000_000.0
}

/// `onepath check` over JSON lines against compiled validators of the same schema.
fn lines(home: &Path, venv: &Path, table: &mut String) -> Outcome {
    let file = home.join("nodes.jsonl");
    let count =
        std::fs::read(&file).map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count());
    if count != NODES {
        let mut generate = program("python3");
        generate.arg("bench/payload/generate.py").args(["configs", &NODES.to_string()]).arg(&file);
        step("100,000 nodes", &mut generate)?;
    }
    eprintln!("── check over {NODES} nodes");
    let schema = root().join("schemas/generation-node-config.schema.json");
    let python = venv.join("bin/python");
    let (mut ours, mut wall, mut ajv, mut jsonschema) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let (cpu, started) = (children_cpu(), Instant::now());
        let mut check = program("target/release/onepath");
        let status = check
            .args(["check", "--quiet"])
            .arg(&file)
            .status()
            .map_err(|error| error.to_string())?;
        if !status.success() {
            return Err("onepath check found something in the nodes, or could not run".to_owned());
        }
        #[allow(clippy::cast_precision_loss, reason = "a small constant")]
        let items = NODES as f64;
        ours.push((children_cpu() - cpu) / items);
        wall.push(started.elapsed().as_secs_f64() * 1e9 / items);
        ajv.push(cpu_of(
            node().arg(home.join("peers/node/lines.mjs")).arg(&file).arg("--schema").arg(&schema),
        )?);
        let mut slow = program(&python.to_string_lossy());
        slow.arg(home.join("peers/python/lines.py")).arg(&file).arg("--schema").arg(&schema);
        jsonschema.push(cpu_of(slow.args(["--limit", "3000"]))?);
    }
    let over = |peer: &[f64]| median(peer.iter().zip(&ours).map(|(peer, ours)| peer / ours));
    let _ = writeln!(table, "## Checking {NODES} nodes as JSON lines (CPU time a node)\n");
    let _ = writeln!(table, "| tool | ns a node | over ours | asked |\n|---|---|---|---|");
    let rows = [
        ("onepath check (decodes, all rules)", &ours, String::new(), ""),
        (
            "compiled ajv in Node (JSON.parse, schema only)",
            &ajv,
            format!("{:.2}", over(&ajv)),
            "≥ 2.8",
        ),
        (
            "Python jsonschema (schema only)",
            &jsonschema,
            format!("{:.1}", over(&jsonschema)),
            "≥ 60",
        ),
    ];
    for (tool, values, over, asked) in rows {
        let _ = writeln!(
            table,
            "| {tool} | {:.0} | {over} | {asked} |",
            median(values.iter().copied())
        );
    }
    let _ = writeln!(
        table,
        "\nWall time of ours on all cores: {:.0} ns a node.\n",
        median(wall.iter().copied())
    );
    Ok(())
}

/// What a peer prints as `cpu_ns_per_item`.
fn cpu_of(command: &mut Command) -> Fallible<f64> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = text.split("\"cpu_ns_per_item\":").nth(1).map(|rest| {
        rest.trim_start()
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect::<String>()
    });
    value
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| format!("{command:?} printed `{text}`"))
}

/// One small file: what starting costs.
fn one_file(home: &Path, venv: &Path, table: &mut String) -> Outcome {
    eprintln!("── one small file");
    let folder = home.join("one");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let nodes =
        std::fs::read_to_string(home.join("nodes.jsonl")).map_err(|error| error.to_string())?;
    let file = folder.join("node.json");
    std::fs::write(&file, nodes.lines().next().unwrap_or("")).map_err(|error| error.to_string())?;
    let schema = root().join("schemas/generation-node-config.schema.json");
    let time = |command: &mut dyn FnMut() -> Command, times: usize| -> Fallible<f64> {
        let mut spent = Vec::new();
        for _ in 0..times {
            let mut command = command();
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let started = Instant::now();
            let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
            spent.push(started.elapsed().as_secs_f64() * 1e3);
            if !status.success() {
                return Err(format!("{command:?}: {status}"));
            }
        }
        Ok(median(spent.into_iter()))
    };
    let (mut nothing, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        nothing.push(time(&mut || program("/bin/true"), 60)?);
        ours.push(time(
            &mut || {
                let mut command = program("target/release/onepath");
                command.args(["check", "--quiet"]).arg(&file);
                command
            },
            60,
        )?);
    }
    let ajv = time(
        &mut || {
            let mut command =
                program(&home.join("peers/node/node_modules/.bin/ajv").to_string_lossy());
            command
                .args(["validate", "--spec=draft2020", "--strict=false", "-s"])
                .arg(&schema)
                .arg("-d")
                .arg(&file);
            command
        },
        5,
    )?;
    let python = time(
        &mut || {
            let mut command = program(&venv.join("bin/check-jsonschema").to_string_lossy());
            command.arg("--schemafile").arg(&schema).arg(&file);
            command
        },
        5,
    )?;
    let (nothing_ms, ours_ms) = (median(nothing.iter().copied()), median(ours.iter().copied()));
    let start = median(ours.iter().zip(&nothing).map(|(ours, nothing)| ours / nothing));
    let _ = writeln!(table, "## One small file (wall time of the whole process)\n");
    let _ = writeln!(table, "| tool | ms | ratio | asked |\n|---|---|---|---|");
    let _ = writeln!(table, "| /bin/true | {nothing_ms:.2} | | |");
    let _ = writeln!(table, "| onepath check | {ours_ms:.2} | {start:.2} × /bin/true | ≤ 2.5 |");
    let _ = writeln!(table, "| ajv-cli | {ajv:.0} | {:.0} × ours | ≥ 100 |", ajv / ours_ms);
    let _ = writeln!(
        table,
        "| check-jsonschema | {python:.0} | {:.0} × ours | ≥ 100 |",
        python / ours_ms
    );
    Ok(())
}
