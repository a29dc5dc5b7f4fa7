//! `onepath batch`.

use std::io::IsTerminal as _;

use onepath_core::{BatchOp, batch};

use crate::input::{Blocks, Source};
use crate::pool::ordered;
use crate::print::Out;
use crate::{Outcome, Run};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is done with each line
    #[arg(value_parser = parse)]
    op: BatchOp,
    /// A file of JSON lines; standard input if absent or `-`
    #[arg(default_value = "-")]
    file: String,
}

fn parse(name: &str) -> Result<BatchOp, String> {
    BatchOp::parse(name).ok_or_else(|| {
        let names: Vec<&str> = BatchOp::ALL.iter().map(|(name, _)| *name).collect();
        format!("use one of {}", names.join(", "))
    })
}

/// One result a line, in order. A line that is refused is that line's result; the rest goes on.
pub(crate) fn run(args: &Args) -> Run {
    let source = Source { path: args.file.clone().into(), named: true };
    if source.is_stdin() && std::io::stdin().is_terminal() {
        crate::print::note("reading JSON lines from the terminal; Ctrl-D ends them\n");
    }
    let mut blocks = Blocks::open(&source)?;
    let mut out = Out::new();
    ordered(
        &mut blocks,
        |block| {
            let mut results = String::with_capacity(block.bytes.len());
            for (_, line) in block.lines() {
                match line {
                    Ok(line) => results.push_str(&batch(args.op, line)),
                    Err(error) => {
                        let message = format!("not UTF-8 text at byte {}", error.valid_up_to());
                        let answer =
                            serde_json::json!({ "error": { "message": message, "findings": [] } });
                        results.push_str(&answer.to_string());
                    }
                }
                results.push('\n');
            }
            results
        },
        |results| out.write(&results),
    )?;
    out.finish()?;
    match blocks.failure() {
        Some(failure) => Err(failure),
        None => Ok(Outcome::Clean),
    }
}
