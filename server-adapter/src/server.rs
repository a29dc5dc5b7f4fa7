//! A server on a folder, and on a database if there is one: store, blobs, providers and worker put together.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use crate::asset::{Blobs, Spool};
use crate::clock::{SharedClock, SteadyClock, SystemClock, new_id, new_secret};
use crate::event::Hub;
use crate::guard::{Guard, GuardError, GuardRules};
use crate::http::{App, Door, Pages, hash_key, serve};
use crate::live::LiveSettings;
use crate::prompt::{Analyst, RuleAnalyst};
use crate::provider::{self, Provider, ProviderSettings, SetupError};
use crate::service::{Plans, PublicAssets, ServerBounds, Service};
use crate::signing::Signer;
use crate::store::{Key, PostgresStore, Reader, Role, SqliteStore, Store, StoreError, Time};
use crate::telemetry::metrics;
use crate::tidy::tidy;
use crate::vault::Vault;
use crate::webhook::{Doors, PublicUrl, deliver};
use crate::worker::{InputUrls, Worker, WorkerSettings, enter};

/// How a server is set up.
#[derive(Clone)]
pub struct Settings {
    /// Where everything is kept; with a database, the rest: blobs, the signing key and what the
    /// provider `local` works on.
    pub data: PathBuf,
    /// The URL of a PostgreSQL database that several servers and workers share; without one, rows
    /// lie in the data folder and belong to this machine.
    pub database: Option<String>,
    /// The ratings it allows.
    pub bounds: ServerBounds,
    /// How its worker works.
    pub worker: WorkerSettings,
    /// Attempts that a run may spend.
    pub attempts: u32,
    /// How long the URLs of assets live.
    pub url_lifetime: Duration,
    /// What each price buys.
    pub plans: Plans,
    /// What a run reserves whose price is not known, in micro-dollars.
    pub unknown_price: i64,
    /// Providers beside `local`.
    pub providers: ProviderSettings,
    /// When the job addresses of the system before end; never if absent.
    pub jobs_sunset: Option<crate::store::Millis>,
    /// Who says whether assets can be fetched without a key.
    pub public_assets: PublicAssets,
    /// Bytes that an uploaded file may have.
    pub most_upload: u64,
    /// Keeps the files of assets in a bucket instead of the data folder.
    #[cfg(feature = "s3")]
    pub bucket: Option<crate::asset::S3>,
    /// What may be called beyond public addresses, where a tenant says where to.
    pub guard: GuardRules,
    /// Where the world reaches this server: URLs of webhooks and assets are made of it. Without it
    /// no provider is asked for webhooks, and URLs of assets are paths.
    pub public_url: Option<PublicUrl>,
    /// A page that is served at `/` beside the API.
    pub pages: Option<Pages>,
    /// Whose pages may call, how often a key may, and how long the door waits.
    pub door: Door,
}

impl std::fmt::Debug for Settings {
    /// Without what holds secrets: the URL of the database has a password in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("data", &self.data)
            .field("database", &self.database.as_ref().map(|_| "hidden"))
            .field("bounds", &self.bounds)
            .field("worker", &self.worker)
            .field("attempts", &self.attempts)
            .field("plans", &self.plans)
            .field("providers", &self.providers)
            .field("public_url", &self.public_url)
            .field("door", &self.door)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// With a data folder, and what suits a laptop.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            database: None,
            bounds: ServerBounds::default(),
            worker: WorkerSettings::default(),
            attempts: 3,
            url_lifetime: Duration::from_secs(24 * 60 * 60),
            plans: Plans::default(),
            unknown_price: 0,
            providers: ProviderSettings::default(),
            jobs_sunset: None,
            public_assets: PublicAssets::default(),
            most_upload: 100 << 20,
            #[cfg(feature = "s3")]
            bucket: None,
            guard: GuardRules::default(),
            public_url: None,
            pages: None,
            door: Door::default(),
        }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or folder cannot be made or read.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The store does not open.
    #[error("{}: {error}", path.display())]
    Store {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: StoreError,
    },
    /// An address that is allowed to be called is none, or nothing can be called.
    #[error("calls: {0}")]
    Guard(GuardError),
    /// The database does not open.
    #[error("the database: {0}")]
    Database(StoreError),
    /// A provider cannot be set up.
    #[error(transparent)]
    Provider(#[from] SetupError),
    /// The bucket does not open.
    #[error("the bucket: {0}")]
    Bucket(crate::asset::BlobError),
}

/// How often the store hears how creates were answered.
const COUNTS: Duration = Duration::from_secs(2);

/// Who else may work on the same rows.
#[derive(Debug, Clone)]
enum Workers {
    /// Processes of this machine; each locks this file.
    Here(PathBuf),
    /// Processes of any machine: their leases run out by themselves.
    Anywhere,
}

/// A server on a folder.
#[derive(Debug, Clone)]
pub struct Server {
    service: Service,
    worker: WorkerSettings,
    /// Who else may work.
    workers: Workers,
    doors: Option<Doors>,
    pages: Option<Pages>,
    door: Door,
}

impl Server {
    /// Opens the folder, makes it if it is not there, and brings the store up to date.
    ///
    /// # Errors
    ///
    /// The folder or the store does not open.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        metrics::install();
        let data = &settings.data;
        let io = |path: &Path| {
            let path = path.to_path_buf();
            move |error| OpenError::Io { path, error }
        };
        std::fs::create_dir_all(data).map_err(io(data))?;
        let (store, clock, workers) = open_store(settings)?;
        let blobs = data.join("blobs");
        let uploads = data.join("uploads");
        let signing = secret(&data.join("signing.key"), &clock)?;
        let public_url = settings.public_url.clone();
        let doors = public_url.clone().map(|url| Doors::new(url, signing));
        let live = Arc::new(LiveSettings::new(Arc::clone(&store), Arc::clone(&clock)));
        let blobs = open_blobs(settings, &blobs)?;
        let service = Service {
            hub: Hub::new(Arc::clone(&store)),
            store,
            providers: provider::open(&settings.providers, data, &blobs)?,
            blobs,
            spool: Spool::open(&uploads, Arc::clone(&clock))
                .map_err(io(&uploads))?
                .of_at_most(settings.most_upload),
            analyst: Arc::new(RuleAnalyst),
            signer: Signer::new(signing, crate::worker::millis(settings.url_lifetime)),
            vault: Vault::new(secret(&data.join("accounts.key"), &clock)?),
            guard: Guard::new(&settings.guard).map_err(OpenError::Guard)?,
            public_url,
            clock,
            bell: Arc::new(Notify::new()),
            bounds: settings.bounds,
            attempts: settings.attempts,
            plans: settings.plans.clone(),
            unknown_price: settings.unknown_price,
            live: Arc::clone(&live),
            jobs_sunset: settings.jobs_sunset,
            public_assets: settings.public_assets,
            making: Arc::default(),
            known: Arc::default(),
            tally: Arc::default(),
            answers: Arc::default(),
        };
        Ok(Self {
            service,
            worker: settings.worker,
            workers,
            doors,
            pages: settings.pages,
            door: settings.door.clone(),
        })
    }

    /// With one more provider, of the program's own; one with the same id is replaced.
    #[must_use]
    pub fn with_provider(mut self, provider: impl Provider) -> Self {
        self.service.providers = self.service.providers.with(provider);
        self
    }

    /// With another who takes prompts apart.
    #[must_use]
    pub fn with_analyst(mut self, analyst: impl Analyst + 'static) -> Self {
        self.service.analyst = Arc::new(analyst);
        self
    }

    /// The service, for calls without HTTP.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The router, to be merged into another application; its paths stay as they are, because
    /// answers name them (`examples/src/server.rs`). Nothing is carried to a provider
    /// unless [`work`](Self::work) runs beside it, here or in another process.
    pub fn router(&self) -> axum::Router {
        App::new(self.service.clone()).with_door(self.door.clone()).router()
    }

    /// Carries what is due to the providers, until `stop` is true.
    pub async fn work(&self, stop: watch::Receiver<bool>) {
        let worker = Worker {
            store: Arc::clone(&self.service.store),
            providers: self.service.providers.clone(),
            blobs: self.service.blobs.clone(),
            spool: self.service.spool.clone(),
            doors: self.doors.clone(),
            clock: Arc::clone(&self.service.clock),
            bell: Arc::clone(&self.service.bell),
            settings: self.worker,
            urls: self
                .service
                .public_url
                .clone()
                .map(|public_url| InputUrls { signer: self.service.signer.clone(), public_url }),
            vault: self.service.vault.clone(),
            accounts: Arc::default(),
            live: Arc::clone(&self.service.live),
        };
        let telling = stop.clone();
        let work = async {
            match &self.workers {
                Workers::Here(lock) => {
                    let _present = enter(lock, &worker).await;
                    worker.clone().run(stop).await;
                }
                Workers::Anywhere => {
                    tokio::select! {
                        () = worker.clone().run(stop) => {}
                        () = self.wake() => {}
                    }
                }
            }
        };
        tokio::select! {
            _ = async { tokio::join!(work, deliver(&self.service, telling)) } => {}
            () = self.service.take_hints() => {}
            () = tidy(&*self.service.store, &self.service.blobs, &self.service.clock) => {}
        }
    }

    /// Rings for the worker when another process may have made work for it.
    async fn wake(&self) {
        let mut changes = self.service.store.changes();
        while changes.changed().await.is_ok() {
            self.service.bell.notify_one();
        }
        // Without hints the worker looks by itself.
        std::future::pending::<()>().await;
    }

    /// Serves until `stop` is true, and leaves the work to others.
    pub async fn serve(&self, listener: TcpListener, stop: watch::Receiver<bool>) {
        let mut stopped = stop.clone();
        let streams = async {
            // Streams of events have no end of their own.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            self.service.hub.close();
        };
        let router = match self.pages {
            Some(pages) => self.router().merge(pages.router()),
            None => self.router(),
        };
        let served = async {
            tokio::join!(serve(listener, router, self.door.patience.head, stop), streams);
        };
        tokio::select! {
            () = served => {}
            () = self.count() => {}
        }
        // What was counted since the last time.
        if let Err(error) = self.service.flush_answers().await {
            tracing::warn!(%error, "the last counts of answers were not kept");
        }
    }

    /// Gives the store the counts of answers now and then.
    async fn count(&self) {
        loop {
            tokio::time::sleep(COUNTS).await;
            if let Err(error) = self.service.flush_answers().await {
                tracing::warn!(%error, "counts of answers wait for the store");
            }
        }
    }

    /// Serves and works until `stop` is true.
    pub async fn run(&self, listener: TcpListener, stop: watch::Receiver<bool>) {
        tokio::join!(self.serve(listener, stop.clone()), self.work(stop));
    }

    /// Keeps a key: who has its text may call.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn add_key(
        &self,
        text: &str,
        name: &str,
        reader: Reader,
        role: Role,
    ) -> Result<(), StoreError> {
        let created_at = self.service.clock.now();
        let key = Key {
            hash: hash_key(text),
            id: new_id(&*self.service.clock),
            name: name.to_owned(),
            reader,
            role,
            created_at,
            revoked_at: None,
        };
        self.service.store.add_key(key).await
    }
}

/// Where the files of assets lie.
fn open_blobs(settings: &Settings, folder: &Path) -> Result<Blobs, OpenError> {
    #[cfg(feature = "s3")]
    if let Some(bucket) = &settings.bucket {
        return Blobs::bucket(bucket).map_err(OpenError::Bucket);
    }
    let _ = settings;
    let io = |error| OpenError::Io { path: folder.to_path_buf(), error };
    Blobs::folder(folder).map_err(io)
}

/// The store, the time it goes by, and who else may work on its rows.
fn open_store(settings: &Settings) -> Result<(Arc<dyn Store>, SharedClock, Workers), OpenError> {
    let data = &settings.data;
    if let Some(url) = &settings.database {
        let store = PostgresStore::open(url, Time::Database).map_err(OpenError::Database)?;
        let clock = store.clock();
        return Ok((Arc::new(store), clock, Workers::Anywhere));
    }
    let path = data.join("onepath.sqlite");
    let open = || {
        let store = SqliteStore::open(&path)?;
        let clock = SteadyClock::after(store.last_written()?);
        Ok((store, clock))
    };
    let (store, clock) = open().map_err(|error| OpenError::Store { path: path.clone(), error })?;
    Ok((Arc::new(store), Arc::new(clock), Workers::Here(data.join("worker.lock"))))
}

/// A new key's text.
#[must_use]
pub fn new_key() -> String {
    format!("op_{}", new_secret(&SystemClock))
}

/// The secret of a file, which is made if it is not there; readable by its owner only.
fn secret(file: &Path, clock: &SharedClock) -> Result<[u8; 32], OpenError> {
    let fail = |error| OpenError::Io { path: file.to_path_buf(), error };
    match std::fs::read(file) {
        Ok(bytes) => {
            is_private(file).map_err(fail)?;
            let broken = || fail(std::io::Error::other("it has not 32 bytes: remove it"));
            bytes.try_into().map_err(|_| broken())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut fresh = [0; 32];
            clock.random(&mut fresh);
            write_private(file, &fresh).map_err(fail)?;
            // Read again: another process may have been first.
            secret(file, clock)
        }
        Err(error) => Err(fail(error)),
    }
}

/// Whether a secret is one: what everybody on the machine can read is none.
fn is_private(file: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(file)?.permissions().mode();
        if mode & 0o007 != 0 {
            let detail = "everybody on this machine may use it: chmod 600, and take a new one if \
                          others may have read it";
            return Err(std::io::Error::new(ErrorKind::PermissionDenied, detail));
        }
    }
    let _ = file;
    Ok(())
}

/// Writes a file that is there whole or not at all, wherever the process is killed; one that is
/// there stays.
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let draft = file.with_extension(format!("{}.draft", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&draft)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    let linked = match std::fs::hard_link(&draft, file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    std::fs::remove_file(&draft)?;
    linked?;
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
