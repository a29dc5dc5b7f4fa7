//! `onepath admin set`, `settings`, `pause` and `resume`: what changes while everything runs.

use clap::{Args as ClapArgs, ValueEnum};
use onepath_server::service::{SettingView, known_settings};
use serde_json::{Map, Value};

use crate::account::told;
use crate::admin::open;
use crate::serve::Place;
use crate::{Outcome, Run, print};

/// Who changes something.
#[derive(Debug, ClapArgs)]
pub(crate) struct Author {
    /// Who changes it; kept with the change
    #[arg(
        long,
        env = "USER",
        hide_env_values = true,
        value_name = "NAME",
        default_value = "operator"
    )]
    by: String,
}

/// Options of `onepath admin set`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Set {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    author: Author,
    /// Which setting, such as `submission`, `provider:replicate` or `retry:provider_timeout`;
    /// `onepath admin settings` lists all
    name: String,
    /// Its value: `on`, `off`, a number, a text or JSON
    #[arg(required_unless_present = "default")]
    value: Option<String>,
    /// Take it back to what the server was set up with
    #[arg(long, conflicts_with = "value")]
    default: bool,
}

/// Options of `onepath admin settings`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Settings {
    #[command(flatten)]
    place: Place,
    /// Every change there was, newest first, of this setting or of all
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    history: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Everything that a tenant asks for.
    Tenant,
    /// Everything at a provider.
    Provider,
}

impl What {
    const fn word(self) -> &'static str {
        match self {
            Self::Tenant => "pause_tenant",
            Self::Provider => "pause_provider",
        }
    }
}

/// Options of `onepath admin pause`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Pause {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    author: Author,
    /// Whether a tenant or a provider is meant
    #[arg(value_enum)]
    what: What,
    /// Which
    id: String,
    /// Why; shown on every generation that waits for it
    #[arg(long, value_name = "TEXT", default_value = "paused by an operator")]
    reason: String,
}

/// Options of `onepath admin resume`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Resume {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    author: Author,
    /// Whether a tenant or a provider is meant
    #[arg(value_enum)]
    what: What,
    /// Which
    id: String,
}

/// A value as it is typed.
fn typed(text: &str) -> Value {
    match text {
        "on" => Value::Bool(true),
        // A rate may be off, too.
        "off" => Value::Bool(false),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
    }
}

pub(crate) async fn set(args: &Set) -> Run {
    let value = match args.value.as_deref() {
        Some("off") if args.name.starts_with("rate:") => Value::from("off"),
        Some(text) => typed(text),
        None => Value::Null,
    };
    change(&args.place, &args.author, &args.name, value).await
}

pub(crate) async fn pause(args: &Pause) -> Run {
    let name = format!("{}:{}", args.what.word(), args.id);
    change(&args.place, &args.author, &name, Value::from(args.reason.as_str())).await
}

pub(crate) async fn resume(args: &Resume) -> Run {
    let name = format!("{}:{}", args.what.word(), args.id);
    change(&args.place, &args.author, &name, Value::Null).await
}

async fn change(place: &Place, author: &Author, name: &str, value: Value) -> Run {
    let server = open(place)?;
    let changes = Map::from_iter([(name.to_owned(), value)]);
    server.service().change_settings(&author.by, &changes).await.map_err(told)?;
    Ok(Outcome::Clean)
}

pub(crate) async fn list(args: &Settings) -> Run {
    let server = open(&args.place)?;
    let service = server.service();
    if let Some(name) = &args.history {
        let name = Some(name.as_str()).filter(|name| !name.is_empty());
        let history = service.setting_history(name, 1000).await.map_err(told)?;
        if args.json {
            return json(&history);
        }
        return lines(&history.changes);
    }
    let list = service.settings().await.map_err(told)?;
    if args.json {
        return json(&list);
    }
    lines(&list.settings)?;
    if list.settings.is_empty() {
        print::note("nothing was changed; there are\n");
        for known in known_settings() {
            print::note(&format!("  {:<24}  {}\n", known.name, known.about));
        }
    }
    Ok(Outcome::Clean)
}

fn json(value: &impl serde::Serialize) -> Run {
    print::line(&serde_json::to_string_pretty(value).map_err(|error| error.to_string())?)?;
    Ok(Outcome::Clean)
}

fn lines(all: &[SettingView]) -> Run {
    for one in all {
        let value =
            if one.value.is_null() { "as set up".to_owned() } else { one.value.to_string() };
        print::line(&format!("{}  {value}  by {}  at {}", one.name, one.author, one.at))?;
    }
    Ok(Outcome::Clean)
}
