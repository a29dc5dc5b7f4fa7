//! `onepath admin`: looking after what a server keeps.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use onepath_client::PromptTerms;
use onepath_core::{Rating, WorldMeta, decode};
use onepath_server::service::{Caller, TermsBody};
use onepath_server::store::{Reader, Role, User, World};
use onepath_server::{Server, new_key};

use crate::prompts::read_terms;
use crate::render::{Format, Renderer};
use crate::serve::Place;
use crate::{Outcome, Run, print};
use crate::{account, backup, live};

/// What is looked after.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Users: what they want to see, and what they pay for
    #[command(subcommand)]
    User(UserCommand),
    /// Worlds: what they declare about generation
    #[command(subcommand)]
    World(WorldCommand),
    /// Terms: what a tenant blocks and flags in prompts
    #[command(subcommand)]
    Terms(TermsCommand),
    /// Accounts at providers: whose keys pay, and how many run at once
    #[command(subcommand)]
    Account(account::Command),
    /// Change what may be changed while everything runs; every process sees it within five seconds
    Set(live::Set),
    /// List what was changed so, by whom and when
    Settings(live::Settings),
    /// Begin nothing of a tenant or at a provider for now; what is on its way goes on
    Pause(live::Pause),
    /// Begin again what was paused
    Resume(live::Resume),
    /// Copy an embedded store with its blobs to a new folder, while a server may be running
    Backup(backup::BackupArgs),
    /// Make a data folder of a backup, after looking whether all of it is there and whole
    Restore(backup::RestoreArgs),
}

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it; only its hash is kept
    Create(CreateKey),
    /// List the keys, without their secrets
    List(Place),
    /// End a key; it stops working within five seconds
    Revoke(RevokeKey),
}

/// Options of `onepath admin key create`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CreateKey {
    #[command(flatten)]
    place: Place,
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

/// Options of `onepath admin key revoke`.
#[derive(Debug, ClapArgs)]
pub(crate) struct RevokeKey {
    #[command(flatten)]
    place: Place,
    /// The key's id, as the list shows it
    id: String,
}

/// What is done with users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user, or change one
    Set(SetUser),
    /// List the users
    List(Place),
}

/// Options of `onepath admin user set`.
#[derive(Debug, ClapArgs)]
pub(crate) struct SetUser {
    #[command(flatten)]
    place: Place,
    /// The tenant behind whose wall they are
    #[arg(long, default_value = "default")]
    tenant: String,
    /// The user's id
    id: String,
    /// The highest rating they want; romantic if absent
    #[arg(long, value_name = "RATING", value_parser = rating)]
    max_rating: Option<Rating>,
    /// Lower band and rating by one for them
    #[arg(long)]
    reduce_intensity: bool,
    /// The price they pay: names their plan; the free one if absent
    #[arg(long, value_name = "ID")]
    price_id: Option<String>,
}

/// What is done with worlds.
#[derive(Debug, Subcommand)]
pub(crate) enum WorldCommand {
    /// Make a world, or change one
    Set(SetWorld),
    /// List the worlds
    List(Place),
}

/// Options of `onepath admin world set`.
#[derive(Debug, ClapArgs)]
pub(crate) struct SetWorld {
    #[command(flatten)]
    place: Place,
    /// The tenant behind whose wall it lies
    #[arg(long, default_value = "default")]
    tenant: String,
    /// The world's id, as the game names it
    id: String,
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// What it declares (`{"generation": {"maxContentRating", "levels", "tiers", "terms"}}`), as a
    /// JSON file
    #[arg(long, value_name = "FILE")]
    meta: PathBuf,
}

/// What is done with terms.
#[derive(Debug, Subcommand)]
pub(crate) enum TermsCommand {
    /// Set what a tenant blocks and flags
    Set(SetTerms),
    /// Print what a tenant blocks and flags
    Show(TermsOf),
}

/// Options of `onepath admin terms set`.
#[derive(Debug, ClapArgs)]
pub(crate) struct SetTerms {
    #[command(flatten)]
    of: TermsOf,
    /// The terms, as a JSON file: `{"blocked": […], "flagged": […]}`
    file: PathBuf,
}

/// Whose terms.
#[derive(Debug, ClapArgs)]
pub(crate) struct TermsOf {
    #[command(flatten)]
    place: Place,
    /// The tenant
    #[arg(long, default_value = "default")]
    tenant: String,
}

/// A role on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// For its user only.
    User,
    /// On behalf of players.
    Backend,
    /// For whoever runs the server.
    Admin,
}

fn rating(word: &str) -> Result<Rating, String> {
    let known: Vec<&str> = Rating::ALL.iter().map(|(word, _)| *word).collect();
    Rating::parse(word).ok_or_else(|| format!("`{word}` is no rating: {}", known.join(", ")))
}

pub(crate) fn run(command: &Command) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(async {
        match command {
            Command::Key(KeyCommand::Create(args)) => create_key(args).await,
            Command::Key(KeyCommand::List(place)) => list_keys(place).await,
            Command::Key(KeyCommand::Revoke(args)) => revoke_key(args).await,
            Command::User(UserCommand::Set(args)) => set_user(args).await,
            Command::User(UserCommand::List(place)) => list_users(place).await,
            Command::Account(command) => account::run(command).await,
            Command::Terms(TermsCommand::Set(args)) => terms(&args.of, Some(&args.file)).await,
            Command::Terms(TermsCommand::Show(args)) => terms(args, None).await,
            Command::World(WorldCommand::Set(args)) => set_world(args).await,
            Command::World(WorldCommand::List(place)) => list_worlds(place).await,
            Command::Set(args) => live::set(args).await,
            Command::Settings(args) => live::list(args).await,
            Command::Pause(args) => live::pause(args).await,
            Command::Resume(args) => live::resume(args).await,
            Command::Backup(args) => backup::make(args),
            Command::Restore(args) => backup::take_back(args),
        }
    })
}

pub(crate) fn open(place: &Place) -> Result<Server, String> {
    Server::open(&place.settings()?).map_err(|error| error.to_string())
}

fn fail(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn named(values: &[(&str, &String)]) -> Result<(), String> {
    match values.iter().find(|(_, value)| value.is_empty()) {
        Some((name, _)) => Err(format!("the {name} is empty: an id has at least one character")),
        None => Ok(()),
    }
}

async fn create_key(args: &CreateKey) -> Run {
    named(&[("tenant", &args.tenant), ("user", &args.user)])?;
    let server = open(&args.place)?;
    let key = new_key();
    let reader = Reader { tenant: args.tenant.clone(), user: args.user.clone() };
    let role = match args.role {
        RoleWord::User => Role::User,
        RoleWord::Backend => Role::Backend,
        RoleWord::Admin => Role::Admin,
    };
    server.add_key(&key, &args.name, reader, role).await.map_err(fail)?;
    print::line(&key)?;
    Ok(Outcome::Clean)
}

async fn list_keys(place: &Place) -> Run {
    for key in open(place)?.service().store.keys().await.map_err(fail)? {
        let state = if key.revoked_at.is_some() { "revoked" } else { "works" };
        print::line(&format!(
            "{}  {}  {}  tenant {}  user {}  {}",
            key.id,
            state,
            key.role.word(),
            key.reader.tenant,
            key.reader.user,
            key.name
        ))?;
    }
    Ok(Outcome::Clean)
}

async fn revoke_key(args: &RevokeKey) -> Run {
    let server = open(&args.place)?;
    let service = server.service();
    let revoked = service.store.revoke_key(&args.id, service.clock.now()).await.map_err(fail)?;
    if revoked {
        Ok(Outcome::Clean)
    } else {
        Err(format!("there is no key `{}`: `onepath admin key list` shows their ids", args.id))
    }
}

async fn set_user(args: &SetUser) -> Run {
    named(&[("tenant", &args.tenant), ("id", &args.id)])?;
    let server = open(&args.place)?;
    let service = server.service();
    let user = User {
        reader: Reader { tenant: args.tenant.clone(), user: args.id.clone() },
        max_rating: args.max_rating,
        reduce_intensity: args.reduce_intensity,
        price_id: args.price_id.clone(),
        created_at: service.clock.now(),
    };
    service.store.put_user(user).await.map_err(fail)?;
    Ok(Outcome::Clean)
}

async fn list_users(place: &Place) -> Run {
    for user in open(place)?.service().store.users(None).await.map_err(fail)? {
        print::line(&format!(
            "{}  tenant {}  max rating {}{}  price {}",
            user.reader.user,
            user.reader.tenant,
            user.max_rating.map_or("romantic, by silence", Rating::word),
            if user.reduce_intensity { ", intensity reduced" } else { "" },
            user.price_id.as_deref().unwrap_or("none: the free plan")
        ))?;
    }
    Ok(Outcome::Clean)
}

async fn set_world(args: &SetWorld) -> Run {
    named(&[("tenant", &args.tenant), ("id", &args.id)])?;
    let name = args.meta.display().to_string();
    let meta = std::fs::read_to_string(&args.meta).map_err(|error| format!("{name}: {error}"))?;
    if let Err(refusal) = decode::<WorldMeta<'_>>(&meta).into_result() {
        Renderer::stderr(Format::Full).document(&name, &meta, refusal.findings());
        return Err(format!("{name} cannot be used"));
    }
    let server = open(&args.place)?;
    let service = server.service();
    let world = World {
        tenant: args.tenant.clone(),
        id: args.id.clone(),
        name: args.name.clone(),
        meta,
        created_at: service.clock.now(),
    };
    service.store.put_world(world).await.map_err(fail)?;
    Ok(Outcome::Clean)
}

async fn list_worlds(place: &Place) -> Run {
    for world in open(place)?.service().store.worlds(None).await.map_err(fail)? {
        let bound = decode::<WorldMeta<'_>>(&world.meta)
            .value
            .and_then(|meta| meta.generation?.max_content_rating);
        print::line(&format!(
            "{}  tenant {}  max rating {}  {}",
            world.id,
            world.tenant,
            bound.map_or("romantic, by silence", Rating::word),
            world.name.as_deref().unwrap_or("")
        ))?;
    }
    Ok(Outcome::Clean)
}

async fn terms(of: &TermsOf, file: Option<&PathBuf>) -> Run {
    named(&[("tenant", &of.tenant)])?;
    let wanted = file.map(|file| read_terms(file)).transpose()?;
    let server = open(&of.place)?;
    let reader = Reader { tenant: of.tenant.clone(), user: "operator".to_owned() };
    let caller = Caller { reader, role: Role::Admin, key: "admin".to_owned() };
    let told = match wanted {
        Some(PromptTerms { blocked, flagged }) => {
            server.service().put_terms(&caller, TermsBody { blocked, flagged }).await
        }
        None => server.service().terms(&caller).await,
    };
    let told = told.map_err(|problem| problem.detail)?;
    print::line(&serde_json::to_string_pretty(&told).map_err(fail)?)?;
    Ok(Outcome::Clean)
}
