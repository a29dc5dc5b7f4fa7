//! `onepath admin`: looking after a server's data folder.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use onepath_server::store::{Reader, Role};
use onepath_server::{Server, Settings, new_key};

use crate::{Outcome, Run};

/// What is looked after.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// API keys
    #[command(subcommand)]
    Key(KeyCommand),
}

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it; only its hash is kept
    Create(CreateKey),
}

/// Options of `onepath admin key create`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CreateKey {
    /// The server's data folder
    #[arg(long, value_name = "DIR", default_value = "onepath-data")]
    data: PathBuf,
    /// What people call the key
    #[arg(long, default_value = "key")]
    name: String,
    /// The tenant behind whose wall it works
    #[arg(long, default_value = "default")]
    tenant: String,
    /// The user for whom it speaks
    #[arg(long, default_value = "default")]
    user: String,
    /// `backend` acts on behalf of players, `user` for its user only
    #[arg(long, value_enum, default_value_t = RoleWord::Backend)]
    role: RoleWord,
}

/// A role on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// For its user only.
    User,
    /// On behalf of players.
    Backend,
}

pub(crate) fn run(command: &Command) -> Run {
    let Command::Key(KeyCommand::Create(args)) = command;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(create(args))
}

async fn create(args: &CreateKey) -> Run {
    for (name, value) in [("tenant", &args.tenant), ("user", &args.user)] {
        if value.is_empty() {
            return Err(format!("--{name} is empty: an id has at least one character"));
        }
    }
    let server = Server::open(&Settings::new(&args.data)).map_err(|error| error.to_string())?;
    let key = new_key();
    let reader = Reader { tenant: args.tenant.clone(), user: args.user.clone() };
    let role = match args.role {
        RoleWord::User => Role::User,
        RoleWord::Backend => Role::Backend,
    };
    server.add_key(&key, &args.name, reader, role).await.map_err(|error| error.to_string())?;
    crate::print::line(&key)?;
    Ok(Outcome::Clean)
}
