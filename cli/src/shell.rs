//! What shells and `man` know of the command.

use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::print::Out;
use crate::{Cli, Outcome, Run};

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The folder that the pages are written into
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the script that completes the command's words.
pub(crate) fn completions(args: &CompletionsArgs) -> Run {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "onepath", &mut script);
    let mut out = Out::new();
    out.write(&String::from_utf8_lossy(&script))?;
    out.finish()?;
    Ok(Outcome::Clean)
}

/// Writes one page a command.
pub(crate) fn man(args: &ManArgs) -> Run {
    let fail = |error: std::io::Error| format!("{}: {error}", args.folder.display());
    std::fs::create_dir_all(&args.folder).map_err(fail)?;
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(fail)?;
    Ok(Outcome::Clean)
}
