//! The configuration file: flags of a command, kept in a file.
//!
//! There is one list of settings, and it is the flags of the commands: every flag of the running
//! command is a key of the file, under its own name. What stands on the command line counts more
//! than the environment, the environment more than the file, and the file more than the default.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args as ClapArgs, Command, CommandFactory as _, FromArgMatches as _};
use toml::{Table, Value};

use crate::Cli;

/// Where a command finds its configuration.
#[derive(Debug, ClapArgs)]
pub(crate) struct ConfigFile {
    /// A file with settings: every flag of this command by its name, such as `listen = "0.0.0.0:7700"`;
    /// flags and environment variables count more
    #[arg(long, env = "ONEPATH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment,
    /// The configuration file.
    File,
    /// Nobody said anything.
    Default,
}

impl Source {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// One setting of the running command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The flag's name.
    pub(crate) name: String,
    /// Its value as text; none if it is not set, and never a secret.
    pub(crate) value: Option<String>,
    /// Where that comes from.
    pub(crate) source: Source,
}

/// The command that is asked for, with its configuration file read, and its settings.
pub(crate) fn parse(mut arguments: Vec<OsString>) -> Result<(Cli, Vec<Setting>), String> {
    // The commands are made and walked once where no file is named: that is half of what it takes
    // to start.
    let mut command = Cli::command();
    let first = matches_of(&mut command, &arguments);
    let (named, said) = leaf(&command, &first);
    let Ok(Some(file)) = said.try_get_one::<PathBuf>("config") else {
        let settings = settings(named, said, &[]);
        return Ok((cli(&first)?, settings));
    };
    let mut command = Cli::command();
    let mut from_file = Vec::new();
    let (leaf_of_file, _) = leaf(&command, &first);
    for (name, text) in read(file, &command, leaf_of_file, said)? {
        arguments.push(text);
        from_file.push(name);
    }
    let second = matches_of(&mut command, &arguments);
    let (named, said) = leaf(&command, &second);
    let settings = settings(named, said, &from_file);
    Ok((cli(&second)?, settings))
}

/// What the arguments say; ends the process where they are wrong, or ask for help.
fn matches_of(command: &mut Command, arguments: &[OsString]) -> ArgMatches {
    command.try_get_matches_from_mut(arguments).unwrap_or_else(|error| error.exit())
}

fn cli(matches: &ArgMatches) -> Result<Cli, String> {
    Cli::from_arg_matches(matches).map_err(|error| error.to_string())
}

/// The subcommand that was asked for in the end.
fn leaf<'c>(command: &'c Command, matches: &'c ArgMatches) -> (&'c Command, &'c ArgMatches) {
    match matches.subcommand() {
        Some((name, inner)) => match command.find_subcommand(name) {
            Some(found) => leaf(found, inner),
            None => (command, matches),
        },
        None => (command, matches),
    }
}

/// What the file says that neither flags nor environment do: the names, and arguments that say it.
fn read(
    file: &Path,
    command: &Command,
    leaf: &Command,
    matches: &ArgMatches,
) -> Result<Vec<(String, OsString)>, String> {
    let told = |message: String| format!("{}: {message}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| told(error.to_string()))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| told(error.to_string()))?;
    let mut arguments = Vec::new();
    for (name, value) in &table {
        let Some(arg) = leaf.get_arguments().find(|arg| arg.get_long() == Some(name)) else {
            if knows(command, name) {
                continue;
            }
            return Err(told(unknown(command, name)));
        };
        let id = arg.get_id().as_str();
        let said = matches.value_source(id);
        if matches!(said, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            continue;
        }
        if arg.get_action().takes_values() {
            for text in
                texts(value).ok_or_else(|| told(kind(name, "a text, a number or a list")))?
            {
                arguments.push((name.clone(), OsString::from(format!("--{name}={text}"))));
            }
        } else {
            match value.as_bool() {
                Some(true) => arguments.push((name.clone(), OsString::from(format!("--{name}")))),
                Some(false) => {}
                None => return Err(told(kind(name, "true or false"))),
            }
        }
    }
    Ok(arguments)
}

fn kind(name: &str, wanted: &str) -> String {
    format!("`{name}` takes {wanted}")
}

/// The texts of a value as a flag takes them.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Float(number) => Some(vec![number.to_string()]),
        Value::Boolean(truth) => Some(vec![truth.to_string()]),
        Value::Array(items) => {
            items.iter().map(texts).collect::<Option<Vec<_>>>().map(|lists| lists.concat())
        }
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

/// Whether any command that reads a file has this flag: one file serves servers and workers.
fn knows(command: &Command, name: &str) -> bool {
    reads_file(command) && command.get_arguments().any(|arg| arg.get_long() == Some(name))
        || command.get_subcommands().any(|inner| knows(inner, name))
}

fn reads_file(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some("config"))
}

fn unknown(command: &Command, name: &str) -> String {
    let mut known = Vec::new();
    flags(command, &mut known);
    let spelled = name.replace('_', "-");
    if known.contains(&spelled) {
        return format!("there is no setting `{name}`: did you mean `{spelled}`?");
    }
    format!("there is no setting `{name}`; there are {}", known.join(", "))
}

fn flags(command: &Command, known: &mut Vec<String>) {
    if reads_file(command) {
        let longs = command.get_arguments().filter_map(|arg| arg.get_long());
        known.extend(longs.filter(|long| *long != "config").map(str::to_owned));
        known.sort_unstable();
        known.dedup();
    }
    for inner in command.get_subcommands() {
        flags(inner, known);
    }
}

fn settings(leaf: &Command, matches: &ArgMatches, from_file: &[String]) -> Vec<Setting> {
    let mut settings = Vec::new();
    for arg in leaf.get_arguments() {
        let (id, Some(long)) = (arg.get_id().as_str(), arg.get_long()) else { continue };
        if matches!(long, "help" | "version") {
            continue;
        }
        let source = match matches.value_source(id) {
            _ if from_file.iter().any(|name| name == long) => Source::File,
            Some(ValueSource::CommandLine) => Source::Flag,
            Some(ValueSource::EnvVariable) => Source::Environment,
            _ => Source::Default,
        };
        let value = if !arg.get_action().takes_values() {
            Some(matches.get_flag(id).to_string())
        } else {
            matches.get_raw(id).map(|values| {
                let texts: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
                texts.join(", ")
            })
        };
        // What an environment variable may hide is a secret.
        let value = value.filter(|value| !value.is_empty());
        let value =
            if arg.is_hide_env_values_set() { value.map(|_| "(hidden)".to_owned()) } else { value };
        settings.push(Setting { name: long.to_owned(), value, source });
    }
    settings
}
