//! What is done to the server, one file a subject.

mod clock;
mod database;
mod disk;
mod fleet;
mod kills;
mod points;
mod provider;
mod races;
mod replicate;
mod shim;
mod simulation;
mod stage;
mod stops;
mod term;

use std::path::PathBuf;
use std::sync::OnceLock;

use onepath_testkit::Fallible;
use onepath_testpostgres::Cluster;

use crate::judge::Fault;

/// What scenarios are played with.
#[derive(Debug)]
pub(crate) struct Context {
    /// The command as it is shipped.
    pub(crate) onepath: PathBuf,
    /// The server with the scripted provider in it.
    pub(crate) testserver: PathBuf,
    /// Where everything is put.
    pub(crate) data: PathBuf,
    /// How often, where that can be chosen.
    pub(crate) rounds: Option<u64>,
    /// Where chance starts from.
    pub(crate) seed: u64,
    /// A minute's worth of it, for the tests.
    pub(crate) short: bool,
    /// A PostgreSQL for the scenarios that do not break it.
    cluster: OnceLock<Result<Cluster, String>>,
}

impl Context {
    pub(crate) fn new(
        onepath: PathBuf,
        testserver: PathBuf,
        data: PathBuf,
        rounds: Option<u64>,
        seed: u64,
        short: bool,
    ) -> Self {
        Self { onepath, testserver, data, rounds, seed, short, cluster: OnceLock::new() }
    }

    /// How often: as told, else `short` or `long`.
    pub(crate) fn rounds(&self, short: u64, long: u64) -> u64 {
        self.rounds.unwrap_or(if self.short { short } else { long })
    }

    pub(crate) fn cluster(&self) -> Fallible<&Cluster> {
        self.cluster.get_or_init(Cluster::start).as_ref().map_err(Clone::clone)
    }
}

/// What a scenario came to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Its figures, in one line.
    pub(crate) line: String,
    /// What must not be, each with how to play it again.
    pub(crate) faults: Vec<Fault>,
}

/// A scenario.
pub(crate) struct Scenario {
    /// As `--only` names it.
    pub(crate) name: &'static str,
    /// What it shows, in a few words.
    pub(crate) about: &'static str,
    /// Plays it.
    pub(crate) play: fn(&Context) -> Playing<'_>,
}

/// A scenario on its way.
pub(crate) type Playing<'c> = std::pin::Pin<Box<dyn Future<Output = Fallible<Vec<Verdict>>> + 'c>>;

macro_rules! scenarios {
    ($($name:literal $about:literal $play:path;)*) => {
        /// Every scenario, in the order in which they are played.
        pub(crate) const SCENARIOS: &[Scenario] = &[$(Scenario {
            name: $name,
            about: $about,
            play: |context| Box::pin($play(context)),
        },)*];
    };
}

scenarios! {
    "rounds" "the command as shipped is killed while it draws" crate::rounds::play;
    "T1" "server and worker are killed at any moment" kills::play;
    "T2" "the server is killed before every call that matters" points::play;
    "T3" "workers stand still for longer than their lease" stops::play;
    "T4" "PostgreSQL is killed, and its connections are cut" database::play;
    "T6" "many clients want the same, and many workers the same row" races::play;
    "T7" "somebody sets the clock" clock::play;
    "T8" "a provider goes wrong in every way" provider::play;
    "T8r" "Replicate goes wrong in every way, and the memory stays flat" replicate::faults::play;
    "T9" "webhooks come twice, in any order, too early, too late, forged, or never" replicate::webhooks::play;
    "T1r" "the server is killed while Replicate works for it" replicate::kills::play;
    "T10" "the disk is full, or broken" disk::play;
    "T12" "simulated worlds in which everything goes wrong" simulation::play;
    "T18" "the server is asked to end under load" term::play;
    "fleet" "servers and workers on one database, any of them killed" fleet::play;
}
