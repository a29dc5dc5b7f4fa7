//! `onepath serve` and `onepath worker`: the server on a data folder, and on a database.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use onepath_core::Rating;
use onepath_server::asset::S3;
use onepath_server::http::{Door, Origins, Patience, Rates};
use onepath_server::limit::Rate;
use onepath_server::service::{Plans, PublicAssets, ServerBounds};
use onepath_server::store::{Reader, Role, StoreError};
use onepath_server::webhook::PublicUrl;
use onepath_server::{Server, Settings, new_key};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::config::ConfigFile;
use crate::{Outcome, Run};

/// Where a server keeps what it knows.
#[derive(Debug, ClapArgs)]
pub(crate) struct Place {
    #[command(flatten)]
    config: ConfigFile,
    /// Where everything is kept; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "onepath-data")]
    data: PathBuf,
    /// A PostgreSQL database that several servers and workers share:
    /// `postgres://user:password@host/name`; the data folder then keeps the rest
    #[arg(long, env = "ONEPATH_DATABASE", hide_env_values = true, value_name = "URL")]
    database: Option<String>,
    /// How providers beside `local` are set up, as a JSON file: `{"<provider>": {…}}`. Keys come
    /// from the environment, such as REPLICATE_API_TOKEN, or from accounts
    #[arg(long, env = "ONEPATH_PROVIDERS", value_name = "FILE")]
    providers: Option<PathBuf>,
    #[command(flatten)]
    blobs: BlobArgs,
}

/// Where the files of assets lie.
#[derive(Debug, ClapArgs)]
struct BlobArgs {
    /// A bucket for the files of assets, `s3://BUCKET`, instead of the data folder. Its key comes
    /// from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from the machine's own role
    #[arg(long, env = "ONEPATH_BLOBS", value_name = "s3://BUCKET", value_parser = bucket)]
    blobs: Option<String>,
    /// The bucket's server, if it is not Amazon's: `https://…`, or `http://…` in one's own network
    #[arg(long, env = "ONEPATH_BLOBS_ENDPOINT", value_name = "URL", value_parser = endpoint)]
    blobs_endpoint: Option<String>,
    /// The bucket's region, such as eu-central-1
    #[arg(long, env = "ONEPATH_BLOBS_REGION", value_name = "REGION")]
    blobs_region: Option<String>,
    /// Send whoever may read a file to the bucket for it, by a URL that the bucket signs, instead of
    /// passing the bytes on
    #[arg(long)]
    blobs_redirect: bool,
}

/// The name in `s3://NAME`; nothing, if nothing is said.
fn bucket(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("s3://").unwrap_or_default().trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.is_empty() || (!name.is_empty() && name.bytes().all(plain)) {
        return Ok(name.to_owned());
    }
    Err(format!("`{text}` is no bucket: such as s3://media, without a path"))
}

fn endpoint(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    // It says where a server is, as a public URL does.
    let url = PublicUrl::parse(text);
    url.map(|url| url.as_str().to_owned())
        .map_err(|_| format!("`{text}` is no server of a bucket: such as https://s3.example.com"))
}

impl BlobArgs {
    fn bucket(&self) -> Result<Option<S3>, String> {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let Some(bucket) = said(&self.blobs) else {
            let alone = self.blobs_redirect
                || said(&self.blobs_endpoint).is_some()
                || said(&self.blobs_region).is_some();
            return if alone {
                Err("--blobs-endpoint, --blobs-region and --blobs-redirect are about a bucket: \
                     name it with --blobs s3://BUCKET"
                    .to_owned())
            } else {
                Ok(None)
            };
        };
        Ok(Some(S3 {
            bucket,
            region: said(&self.blobs_region),
            endpoint: said(&self.blobs_endpoint),
            hands_out: self.blobs_redirect,
            ..S3::default()
        }))
    }
}

impl Place {
    /// Settings for this place, and what suits a laptop.
    pub(crate) fn settings(&self) -> Result<Settings, String> {
        let mut settings = Settings::new(&self.data);
        settings.database = self.database.clone().filter(|url| !url.is_empty());
        settings.providers = crate::params::settings(self.providers.as_deref())?;
        settings.bucket = self.blobs.bucket()?;
        Ok(settings)
    }
}

/// How a program logs, to standard error. `ONEPATH_LOG` says how much: `info` if it is not set.
#[derive(Debug, ClapArgs)]
struct Logs {
    /// Lines for people, or one JSON object a line
    #[arg(long, env = "ONEPATH_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// What lies outside, for servers and workers.
#[derive(Debug, ClapArgs)]
struct Outside {
    /// Where the world reaches the server, such as `https://media.example.com`: providers report
    /// there, and URLs of assets begin with it. Without it providers are asked again and again
    #[arg(long, env = "ONEPATH_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<PublicUrl>,
    /// An address of one's own network that tenants' webhooks may go to: `HOST:PORT`; repeatable
    #[arg(long, value_name = "HOST:PORT")]
    allow_call: Vec<String>,
}

fn public_url(text: &str) -> Result<PublicUrl, String> {
    PublicUrl::parse(text).map_err(|error| error.to_string())
}

impl Outside {
    fn apply(&self, settings: &mut Settings) {
        settings.public_url.clone_from(&self.public_url);
        settings.guard.allowed.clone_from(&self.allow_call);
    }
}

/// Options of `onepath worker`.
#[derive(Debug, ClapArgs)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    outside: Outside,
    #[command(flatten)]
    logs: Logs,
}

/// Options of `onepath serve`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    outside: Outside,
    #[command(flatten)]
    logs: Logs,
    /// Leave the work to `onepath worker`
    #[arg(long)]
    no_worker: bool,
    /// For one's own machine: a ready key with the role of a backend, printed at the start
    #[arg(long)]
    dev: bool,
    /// The key of `--dev`; a random one if absent
    #[arg(long, env = "ONEPATH_DEV_KEY", hide_env_values = true, value_name = "KEY")]
    dev_key: Option<String>,
    /// What each price buys, as a JSON file: `{"<price id>": {"in_flight": 4, "runs_month": 500,
    /// "micros_month": 20000000}}`; `free` is the plan of everybody else
    #[arg(long, value_name = "FILE", conflicts_with = "dev")]
    plans: Option<PathBuf>,
    /// When the old addresses `/api/v1/jobs` end (RFC 3339); they answer 410 then
    #[arg(long, value_name = "TIME", value_parser = time)]
    jobs_sunset: Option<i64>,
    /// Who says whether assets can be fetched without a key: nobody, whoever asks and owns, or they
    /// are public unless whoever asks says otherwise; a world may say less, or more
    #[arg(
        long, env = "ONEPATH_PUBLIC_ASSETS", value_name = "never|on-request|always",
        default_value = "never", value_parser = public_assets
    )]
    public_assets: PublicAssets,
    #[command(flatten)]
    door: DoorArgs,
    /// The ratings that `--dev` allows for world and user
    #[arg(long, value_name = "WORLD,USER", value_parser = bounds, requires = "dev")]
    dev_bounds: Option<ServerBounds>,
}

fn public_assets(word: &str) -> Result<PublicAssets, String> {
    PublicAssets::parse(word)
        .ok_or_else(|| format!("`{word}` is none of never, on-request, always"))
}

/// A time, as milliseconds since 1970.
fn time(text: &str) -> Result<i64, String> {
    onepath_server::clock::parse_rfc3339(text)
        .ok_or_else(|| format!("`{text}` is no time: such as 2027-01-01T00:00:00Z"))
}

/// Whose pages may call, and how often a key may.
#[derive(Debug, ClapArgs)]
struct DoorArgs {
    /// An origin whose pages may call, such as `https://studio.example`; may be given several times
    #[arg(long, env = "ONEPATH_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    origin: Vec<String>,
    /// How many calls a key may make, as CALLS/SECONDS, or `off`; `--dev` sets no limit
    #[arg(long, value_name = "RATE", default_value = "6000/60", value_parser = rate)]
    rate_calls: Limit,
    /// How many calls of a key may start runs, as CALLS/SECONDS, or `off`
    #[arg(long, value_name = "RATE", default_value = "600/60", value_parser = rate)]
    rate_creates: Limit,
}

/// A rate, or none.
#[derive(Debug, Clone, Copy)]
struct Limit(Option<Rate>);

fn rate(text: &str) -> Result<Limit, String> {
    if text == "off" { Ok(Limit(None)) } else { Rate::parse(text).map(|rate| Limit(Some(rate))) }
}

impl DoorArgs {
    fn door(&self, dev: bool) -> Result<Door, String> {
        let rates = Rates { calls: self.rate_calls.0, creates: self.rate_creates.0 };
        Ok(Door {
            origins: Origins::parse(self.origin.iter().map(String::as_str))?,
            rates: if dev { Rates::default() } else { rates },
            patience: Patience::default(),
        })
    }
}

/// Two ratings, such as `mature_implied,romantic`.
fn bounds(text: &str) -> Result<ServerBounds, String> {
    let rating = |word: &str| {
        let known: Vec<&str> = Rating::ALL.iter().map(|(word, _)| *word).collect();
        Rating::parse(word.trim())
            .ok_or_else(|| format!("`{word}` is no rating: {}", known.join(", ")))
    };
    let (world, user) = text.split_once(',').ok_or("two ratings are wanted: WORLD,USER")?;
    Ok(ServerBounds { world: rating(world)?, user: rating(user)? })
}

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn run(args: &Args) -> Run {
    if args.dev && !args.listen.ip().is_loopback() {
        return Err(format!(
            "--dev is for one's own machine: {} can be reached by others; listen on 127.0.0.1, or \
             leave --dev out and make a key with `onepath admin key create`",
            args.listen
        ));
    }
    start(&args.logs, serve(args))
}

/// Works until Ctrl-C or SIGTERM, on what servers take in.
pub(crate) fn run_worker(args: &WorkerArgs) -> Run {
    start(&args.logs, async {
        let mut settings = args.place.settings()?;
        args.outside.apply(&mut settings);
        let server = Server::open(&settings).map_err(|error| error.to_string())?;
        crate::print::line("onepath works")?;
        server.work(stop_when_asked()).await;
        Ok(Outcome::Clean)
    })
}

/// Runs a program that logs, on a runtime of its own.
fn start(logs: &Logs, program: impl Future<Output = Run>) -> Run {
    let filter = EnvFilter::try_from_env("ONEPATH_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match logs.log_format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(program)
}

impl Args {
    /// The server's settings.
    pub(crate) fn settings(&self) -> Result<Settings, String> {
        let mut settings = self.place.settings()?;
        self.outside.apply(&mut settings);
        settings.bounds = self.dev_bounds.unwrap_or_default();
        settings.pages = Some(crate::editor::pages());
        settings.jobs_sunset = self.jobs_sunset;
        settings.public_assets = self.public_assets;
        settings.door = self.door.door(self.dev)?;
        if self.dev {
            settings.plans = Plans::unlimited();
        } else if let Some(file) = &self.plans {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            settings.plans =
                Plans::from_json(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(settings)
    }
}

async fn serve(args: &Args) -> Run {
    let settings = args.settings()?;
    let server = Server::open(&settings).map_err(|error| error.to_string())?;
    end_dev_keys(&server).await.map_err(|error| error.to_string())?;
    let key = if args.dev {
        let key = args.dev_key.clone().filter(|key| !key.is_empty()).unwrap_or_else(new_key);
        let reader = Reader { tenant: DEV.to_owned(), user: DEV.to_owned() };
        let added = server.add_key(&key, DEV, reader, Role::Backend).await;
        added.map_err(|error| error.to_string())?;
        Some(key)
    } else {
        let keys = server.service().store.keys().await.map_err(|error| error.to_string())?;
        if keys.iter().all(|key| key.revoked_at.is_some()) {
            return Err(format!(
                "nobody has a key yet: make one with `onepath admin key create --data {}`, or start \
                 with --dev on your own machine",
                args.place.data.display()
            ));
        }
        None
    };
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", args.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    crate::print::line(&format!("onepath serves http://{address}"))?;
    if let Some(key) = key {
        crate::print::line(&format!("key {key}"))?;
    }
    let stopped = stop_when_asked();
    if args.no_worker {
        server.serve(listener, stopped).await;
    } else {
        server.run(listener, stopped).await;
    }
    Ok(Outcome::Clean)
}

/// True as soon as the process is asked to stop; asked once more, it stops at once.
fn stop_when_asked() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        asked_to_stop().await;
        tracing::info!("stopping: what is on its way ends first; once more to stop at once");
        let _ = stop.send(true);
        asked_to_stop().await;
        std::process::exit(130);
    });
    stopped
}

/// Name, tenant and user of the key that `--dev` makes.
const DEV: &str = "dev";

/// A key of `--dev` works for one start: it may be a simple one, and is printed.
async fn end_dev_keys(server: &Server) -> Result<(), StoreError> {
    let service = server.service();
    for key in service.store.keys().await? {
        if key.name == DEV && key.reader.tenant == DEV && key.revoked_at.is_none() {
            service.store.revoke_key(&key.id, service.clock.now()).await?;
        }
    }
    Ok(())
}

/// Ctrl-C or, where there is such a thing, SIGTERM.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without a handler there is nothing to wait for; the process ends by the signal itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
