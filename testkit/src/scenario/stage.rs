//! A stage: a database, the scripted provider, clients, and whoever watches.

use std::path::{Path, PathBuf};
use std::time::Duration;

use onepath_testkit::Fallible;
use onepath_testkit::fake::{Book, Fake, Keeping};

use super::Context;
use crate::caller::{Acknowledged, Caller, Servers};
use crate::follower::Follower;
use crate::judge::{Case, Counts, Fault};
use crate::process::{Process, Program, fresh};
use crate::truth::Truth;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A stage.
pub(crate) struct Stage {
    pub(crate) folder: PathBuf,
    pub(crate) program: Program,
    pub(crate) truth: Truth,
    pub(crate) servers: Servers,
    pub(crate) caller: Caller,
    stranger: Caller,
    follower: Follower,
    charges: Option<PathBuf>,
    _fake: Option<Fake>,
}

/// How long the list of a provider lags, where it does.
const LAG: Duration = Duration::from_millis(300);

/// How long a provider may take to answer.
const PATIENCE: Duration = Duration::from_millis(300);

impl Stage {
    /// An empty stage with a provider that takes tokens as keys (0), or shows a list of them, at
    /// once (1) or late (2).
    pub(crate) async fn new(
        context: &Context,
        kind: Kind,
        name: &str,
        provider: u64,
    ) -> Fallible<Self> {
        let database = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(context.cluster()?.database()?),
        };
        Self::on(context, database, name, provider).await
    }

    /// A stage on a database of its own.
    pub(crate) async fn on(
        context: &Context,
        database: Option<String>,
        name: &str,
        provider: u64,
    ) -> Fallible<Self> {
        let folder = context.data.join(name);
        fresh(&folder)?;
        let (keeping, visibility) = match provider % 3 {
            0 => (Keeping::Key, Duration::ZERO),
            1 => (Keeping::List(Duration::ZERO), PATIENCE),
            _ => (Keeping::List(LAG), LAG + PATIENCE),
        };
        let book = Book::new(&log(&folder), keeping, Duration::from_millis(120))?;
        let fake = Fake::start(book).await?;
        let args = vec![
            "--fake".to_owned(),
            fake.address().to_owned(),
            "--patience".to_owned(),
            PATIENCE.as_millis().to_string(),
            "--visibility".to_owned(),
            visibility.as_millis().to_string(),
        ];
        let charges = Some(log(&folder));
        Ok(Self { charges, _fake: Some(fake), ..Self::with(context, database, folder, args)? })
    }

    /// An empty stage whose provider is Replicate's fake, which reports to the server at an address
    /// that stays.
    pub(crate) fn replicate(
        context: &Context,
        kind: Kind,
        name: &str,
        fake: &onepath_fakes::Fake,
    ) -> Fallible<Self> {
        let database = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(context.cluster()?.database()?),
        };
        let folder = context.data.join(name);
        fresh(&folder)?;
        let free = std::net::TcpListener::bind(("127.0.0.1", 0));
        let address = free.and_then(|free| free.local_addr()).map_err(|e| e.to_string())?;
        let args = vec![
            "--replicate".to_owned(),
            fake.url(),
            "--listen".to_owned(),
            address.to_string(),
            "--public-url".to_owned(),
            format!("http://{address}"),
        ];
        Self::with(context, database, folder, args)
    }

    fn with(
        context: &Context,
        database: Option<String>,
        folder: PathBuf,
        mut args: Vec<String>,
    ) -> Fallible<Self> {
        let data = folder.join("data");
        args.extend(["--data".to_owned(), data.display().to_string()]);
        let truth = match database {
            None => Truth::Sqlite(data.join("onepath.sqlite")),
            Some(url) => {
                args.extend(["--database".to_owned(), url.clone()]);
                Truth::Postgres(url)
            }
        };
        let servers = Servers::default();
        Ok(Self {
            program: Program {
                path: context.testserver.clone(),
                args,
                env: vec![("ONEPATH_LOG".to_owned(), "info".to_owned())],
                log: folder.join("log"),
            },
            truth,
            caller: Caller::new(&servers, "faults")?,
            stranger: Caller::new(&servers, "elsewhere")?,
            follower: Follower::start(&servers, "game")?,
            servers,
            folder,
            charges: None,
            _fake: None,
        })
    }

    /// Starts a server; clients find it at this place among the servers.
    pub(crate) async fn serve(&self, place: usize, more: &[&str]) -> Fallible<Process> {
        let process = self.program.start("serve", more).await?;
        self.servers.set(place, process.address().unwrap_or_default());
        Ok(process)
    }

    /// Judges what the clients were told, while servers are up; the folder stays if something is
    /// wrong.
    pub(crate) async fn judge(
        &self,
        acknowledged: &[Acknowledged],
    ) -> Fallible<(Counts, Vec<Fault>)> {
        let case = Case {
            truth: &self.truth,
            charges: self.charges.clone(),
            acknowledged,
            caller: &self.caller,
            stranger: &self.stranger,
            follower: &self.follower,
            patience: Duration::from_secs(60),
        };
        case.judge().await
    }

    /// Takes the stage away, unless somebody will want to look at it.
    pub(crate) fn clear(self, faults: &[Fault]) -> Fallible<()> {
        if faults.is_empty() {
            let shown = |error: std::io::Error| format!("{}: {error}", self.folder.display());
            std::fs::remove_dir_all(&self.folder).map_err(shown)?;
        }
        Ok(())
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("charges")
}
