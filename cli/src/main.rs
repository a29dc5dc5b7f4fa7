//! The `onepath` command: the canonical path for files and for CI.

mod account;
mod admin;
mod backup;
mod bake;
mod batch;
mod check;
mod config;
mod context;
mod doctor;
mod editor;
mod fake;
mod formats;
mod input;
mod legacy;
mod money;
mod node;
mod params;
mod plan;
mod pool;
mod print;
mod render;
mod serve;
mod shell;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A server makes and drops many small texts on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One canonical request path for generated media.
///
/// Exit codes: 0 clean, 1 findings, 2 could not run.
#[derive(Debug, Parser)]
#[command(name = "onepath", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check scene files, node files and JSON lines, and point at every fault
    Check(check::Args),
    /// Explain a code such as `duration/min-exceeds-max`
    Explain(table::ExplainArgs),
    /// Write the canonical text (RFC 8785) of any JSON
    Canon(print::CanonArgs),
    /// Build the requests of nodes
    Build(node::BuildArgs),
    /// Compute hashes, seed and cache key of nodes
    Fingerprint(node::FingerprintArgs),
    /// Show in which fields two nodes differ: what changes the key, and what does not
    ///
    /// Exit code 1 means that the keys differ.
    Diff(node::DiffArgs),
    /// Estimate what runs of nodes cost
    Price(node::PriceArgs),
    /// Check nodes, then print one line a node: key, seed, rating, price
    Walk(node::WalkArgs),
    /// Show what a provider would be sent for nodes: path and body of the submission
    Params(params::Args),
    /// Say which nodes changed their key since a git revision, why, and what making them costs
    ///
    /// Exit code 1 means that a key changed or a node is refused; `--fail-on` says otherwise.
    Plan(plan::Args),
    /// Print JSON Schemas
    Schema(table::SchemaArgs),
    /// List the providers that are known, with their operations and settings
    Providers(table::ProvidersArgs),
    /// Read JSON lines and write JSON lines, one result a line, in order
    Batch(batch::Args),
    /// Make everything of scene files that is missing on a server, and print one line a node
    ///
    /// Exit code 1 means that a node was refused or not made.
    Bake(bake::Args),
    /// Start the server on a data folder
    Serve(serve::Args),
    /// Carry out what servers take in, apart from them
    Worker(serve::WorkerArgs),
    /// Look at everything a server with these settings would use, and change nothing
    ///
    /// Takes the settings of `serve`. Exit code 1 means that something failed.
    Doctor(doctor::DoctorArgs),
    /// Stand in for a provider, for tests: the same API, its failures, and a log of charges
    Fake(fake::Args),
    /// Find what still speaks to the system before
    #[command(subcommand)]
    Legacy(legacy::Command),
    /// Print a script that completes the command's words in a shell
    Completions(shell::CompletionsArgs),
    /// Write the manual pages into a folder
    Man(shell::ManArgs),
    /// Look after a server's data folder
    #[command(subcommand)]
    Admin(admin::Command),
}

/// How a command ended when nothing stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Clean,
    Findings,
}

/// Why a command could not run; one line.
type Run = Result<Outcome, String>;

fn main() -> ExitCode {
    let (cli, settings) = match config::parse(std::env::args_os().collect()) {
        Ok(parsed) => parsed,
        Err(message) => return stopped(&message),
    };
    let run = match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => table::explain(&args),
        Command::Canon(args) => print::canon(&args),
        Command::Build(args) => node::build(&args),
        Command::Fingerprint(args) => node::fingerprint(&args),
        Command::Diff(args) => node::diff(&args),
        Command::Price(args) => node::price(&args),
        Command::Walk(args) => node::walk(&args),
        Command::Params(args) => params::run(&args),
        Command::Fake(args) => fake::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Schema(args) => table::schema(&args),
        Command::Providers(args) => table::providers(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Bake(args) => bake::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Worker(args) => serve::run_worker(&args),
        Command::Legacy(command) => legacy::run(&command),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
        Command::Admin(command) => admin::run(&command),
        Command::Doctor(args) => doctor::run(&args, &settings),
    };
    match run {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        // A reader that went away, such as `head`, is no fault of ours.
        Err(message) if message == print::BROKEN_PIPE => ExitCode::SUCCESS,
        Err(message) => stopped(&message),
    }
}

fn stopped(message: &str) -> ExitCode {
    print::note(&format!("onepath: {message}\n"));
    ExitCode::from(2)
}
