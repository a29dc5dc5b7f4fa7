//! `onepath admin account`: accounts at providers.

use std::io::BufRead as _;

use clap::{Args as ClapArgs, Subcommand};
use onepath_server::problem::Problem;
use onepath_server::provider::Secret;
use onepath_server::service::{AccountChange, AccountView, NewAccount, NewKey};
use onepath_server::store::AccountQuery;

use crate::admin::open;
use crate::serve::Place;
use crate::{Outcome, Run, print};

/// What is done with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell of a new account
    Add(Add),
    /// Change an account; what is not named stays as it is
    Set(Set),
    /// List the accounts, with what is in use and how they do
    List(List),
    /// Use an account again at once that rests after failures
    Heal(Name),
    /// Remove an account that nothing uses
    Remove(Name),
}

/// Options of `onepath admin account add`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Add {
    #[command(flatten)]
    place: Place,
    /// By which you name it, such as `replicate-main`
    id: String,
    /// The provider it is at
    #[arg(long, value_name = "ID")]
    provider: String,
    #[command(flatten)]
    change: Change,
}

/// Options of `onepath admin account set`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Set {
    #[command(flatten)]
    place: Place,
    /// The account
    id: String,
    #[command(flatten)]
    change: Change,
}

/// Options of `onepath admin account list`.
#[derive(Debug, ClapArgs)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    /// Only accounts that work for this tenant: its own, and shared ones
    #[arg(long)]
    tenant: Option<String>,
    /// Only accounts at this provider
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
}

/// Which account.
#[derive(Debug, ClapArgs)]
pub(crate) struct Name {
    #[command(flatten)]
    place: Place,
    /// The account
    id: String,
}

/// What is said of an account.
#[derive(Debug, ClapArgs)]
struct Change {
    /// The tenant whose it is; `none` shares it with all
    #[arg(long, value_parser = text)]
    tenant: Option<Maybe<String>>,
    /// Where the provider is asked, if not at its usual address; `none` for that one
    #[arg(long, value_name = "URL", value_parser = text)]
    endpoint: Option<Maybe<String>>,
    /// The environment variable of server and worker that holds the provider's key; `none` if it
    /// wants none
    #[arg(long, value_name = "NAME", value_parser = text)]
    key_env: Option<Maybe<String>>,
    /// Read the provider's key from standard input, and keep it sealed
    #[arg(long, conflicts_with = "key_env")]
    key_stdin: bool,
    /// 0 to 10; 0 is used first
    #[arg(long)]
    priority: Option<i64>,
    /// Submissions at the same time; `none` for any number
    #[arg(long, value_name = "N", value_parser = count)]
    concurrency: Option<Maybe<i64>>,
    /// Submissions of a day (UTC); `none` for any number
    #[arg(long, value_name = "N", value_parser = count)]
    daily_limit: Option<Maybe<i64>>,
    /// Whether it is used
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
}

/// A value, or none of it.
#[derive(Debug, Clone)]
struct Maybe<T>(Option<T>);

fn text(word: &str) -> Result<Maybe<String>, String> {
    Ok(Maybe((word != "none").then(|| word.to_owned())))
}

fn count(word: &str) -> Result<Maybe<i64>, String> {
    if word == "none" {
        return Ok(Maybe(None));
    }
    word.parse()
        .map(|count| Maybe(Some(count)))
        .map_err(|_| format!("`{word}` is no whole number, and not `none`"))
}

impl Change {
    fn read(&self) -> Result<AccountChange, String> {
        let key = match &self.key_env {
            Some(Maybe(Some(name))) => Some(NewKey::Env(name.clone())),
            Some(Maybe(None)) => Some(NewKey::None),
            None if self.key_stdin => Some(NewKey::Sealed(key_from_stdin()?)),
            None => None,
        };
        Ok(AccountChange {
            tenant: self.tenant.clone().map(|Maybe(tenant)| tenant),
            endpoint: self.endpoint.clone().map(|Maybe(endpoint)| endpoint),
            key,
            priority: self.priority,
            concurrency: self.concurrency.clone().map(|Maybe(count)| count),
            daily_limit: self.daily_limit.clone().map(|Maybe(count)| count),
            enabled: self.enabled,
        })
    }
}

fn key_from_stdin() -> Result<Secret, String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| format!("standard input cannot be read: {error}"))?;
    let key = line.trim_end_matches(['\r', '\n']);
    if key.is_empty() {
        return Err("there is no key on standard input: `… --key-stdin < key.txt`".to_owned());
    }
    Ok(Secret::new(key))
}

/// A problem in one line.
pub(crate) fn told(problem: Problem) -> String {
    match problem.errors.as_slice() {
        [] => problem.detail,
        faults => {
            let all: Vec<String> = faults
                .iter()
                .map(|fault| {
                    let help = fault.help.as_deref().map(|help| format!(" ({help})"));
                    let name = fault.pointer.trim_start_matches('/');
                    format!("{name}: {}{}", fault.detail, help.unwrap_or_default())
                })
                .collect();
            all.join("; ")
        }
    }
}

pub(crate) async fn run(command: &Command) -> Run {
    match command {
        Command::Add(args) => {
            let new = NewAccount {
                id: args.id.clone(),
                provider: args.provider.clone(),
                change: args.change.read()?,
            };
            let server = open(&args.place)?;
            print_account(&server.service().add_account(&new).await.map_err(told)?)?;
        }
        Command::Set(args) => {
            let change = args.change.read()?;
            let server = open(&args.place)?;
            let changed = server.service().change_account(&args.id, &change).await;
            print_account(&changed.map_err(told)?)?;
        }
        Command::List(args) => {
            let query =
                AccountQuery { tenant: args.tenant.clone(), provider: args.provider.clone() };
            let server = open(&args.place)?;
            for account in server.service().accounts(&query).await.map_err(told)?.accounts {
                print_account(&account)?;
            }
        }
        Command::Heal(args) => {
            let server = open(&args.place)?;
            print_account(&server.service().heal_account(&args.id).await.map_err(told)?)?;
        }
        Command::Remove(args) => {
            open(&args.place)?.service().remove_account(&args.id).await.map_err(told)?;
        }
    }
    Ok(Outcome::Clean)
}

fn print_account(account: &AccountView) -> Result<(), String> {
    let of = |limit: Option<i64>| limit.map_or("any".to_owned(), |limit| limit.to_string());
    let mut line = format!(
        "{}  {}  {}  key {}  priority {}  slots {} of {}  today {} of {}  {}",
        account.id,
        account.provider_id,
        account.tenant.as_ref().map_or("shared".to_owned(), |tenant| format!("tenant {tenant}")),
        account.key,
        account.priority,
        account.slots_in_use,
        of(account.concurrency),
        account.today,
        of(account.daily_limit),
        if account.enabled { account.breaker } else { "off" },
    );
    if let Some(until) = &account.cooldown_until {
        line.push_str(&format!(" until {until}"));
    }
    if let Some(error) = account.last_error {
        line.push_str(&format!("  {} failures, last {error}", account.streak));
    }
    for (kind, left) in account.credits.iter().flatten() {
        line.push_str(&format!("  {kind} {left}"));
    }
    if let Some(endpoint) = &account.endpoint {
        line.push_str(&format!("  at {endpoint}"));
    }
    print::line(&line)
}
