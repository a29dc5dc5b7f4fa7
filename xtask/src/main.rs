//! The project's own commands: `cargo xtask <command>`.

mod bench;
mod deny;
mod editor;
mod faults;
mod font;
mod fuzz;
mod pkg;
mod rivals;
mod run;
mod schemathesis;
mod test;
mod up;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  up          build `onepath` with its editor, and walk the example game with it
  test        everything that must hold before a change lands; prints a count of tests;
              test PART…: only format, clippy, rust, judges, kills, package, editor or docs
  generate    write the generated files: schemas, tables of the docs, vectors
  faults      kill the real server at any moment and count what became of its work:
              faults [--rounds N] [--seed S]
  editor      build the node editor; a build of `onepath` takes it in
  pkg         build the npm package: target/pkg/onepath-*.tgz
  matrix      run the npm package in Node, Deno, Bun, bundlers, Next.js, workerd and Chromium, and
              clients that are made of openapi.json against a real server
  bench       measure against named peers; writes target/bench/table.md; bench editor: that part only
  rivals      ask official clients of providers and a server of ours the same, with the same faults;
              writes docs/rivals.md
  fuzz        fuzz every reader (needs a nightly toolchain): fuzz [TARGET] [SECONDS]
  schemathesis  ask a real server for everything that openapi.json describes, and for what it does
              not: schemathesis [EXAMPLES]
  font        pack the font of the local provider anew: font [GLYPHS.hex COMBINING.txt]
  deny        check bans, licences and sources of the dependencies
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let outcome = match command.as_str() {
        "up" => up::up(&rest),
        "test" => test::test(&rest),
        "generate" => test::generate(),
        "editor" => editor::editor(&rest),
        "pkg" => pkg::pkg(&rest),
        "matrix" => pkg::matrix(&rest),
        "bench" => bench::bench(&rest),
        "faults" => faults::faults(&rest),
        "rivals" => rivals::rivals(&rest),
        "fuzz" => fuzz::fuzz(&rest),
        "schemathesis" => schemathesis::schemathesis(&rest),
        "font" => font::font(&rest),
        "deny" => deny::deny(&rest),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => Err(format!("`{other}` is no command of xtask\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
