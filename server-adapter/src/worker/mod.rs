//! The worker: takes rows that are due, and carries each on as far as it goes.

mod account;
mod carry;
mod copies;
mod fetch;
mod presence;
#[cfg(any(test, feature = "conformance"))]
pub mod sim;
mod told;

use std::sync::Arc;
use std::time::Duration;

use onepath_core::Operation;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::asset::{Blobs, Spool};
use crate::cache::Recent;
use crate::clock::SharedClock;
use crate::live::LiveSettings;
use crate::log::tell;
use crate::provider::Providers;
use crate::store::{Account, Claim, Claimed, Millis, Store};
use crate::vault::Vault;
use crate::webhook::Doors;

pub use copies::InputUrls;
pub(crate) use presence::enter;

/// How a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Rows that are carried at the same time.
    pub parallel: usize,
    /// How long a row is held without a sign of life.
    pub lease: Duration,
    /// How long a run may take from its submission until it counts as stuck, whatever its operation
    /// may.
    pub deadline: Duration,
    /// How often a provider is asked at first.
    pub poll: Duration,
    /// How long the worker rests when nothing is due.
    pub rest: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            parallel: 8,
            lease: Duration::from_secs(30),
            deadline: Duration::from_secs(60 * 60),
            poll: Duration::from_secs(3),
            rest: Duration::from_secs(1),
        }
    }
}

impl WorkerSettings {
    /// When a run of an operation that is submitted at a time counts as stuck.
    #[must_use]
    pub(crate) fn stuck_at(&self, operation: Operation, now: Millis) -> Millis {
        now.saturating_add(operation.timeouts().deadline_ms.min(millis(self.deadline)))
    }

    /// How long a provider may take to answer one call.
    #[must_use]
    pub(crate) fn answer(&self) -> Duration {
        self.deadline.min(Duration::from_secs(600))
    }
}

/// Everything that carrying a row needs.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Where the rows are.
    pub store: Arc<dyn Store>,
    /// Who makes things.
    pub providers: Providers,
    /// Where what was made is kept.
    pub blobs: Blobs,
    /// Where it lies on its way there.
    pub spool: Spool,
    /// Where providers report to; without it nobody is asked to, and polling carries everything.
    pub doors: Option<Doors>,
    /// The time.
    pub clock: SharedClock,
    /// Rung when there may be work.
    pub bell: Arc<Notify>,
    /// How it works.
    pub settings: WorkerSettings,
    /// Opens the keys of accounts.
    pub vault: Vault,
    /// Where providers read what a submission starts from; without it they are handed the bytes.
    pub urls: Option<InputUrls>,
    /// Accounts that were read lately.
    pub accounts: Arc<Recent<String, Arc<Account>>>,
    /// What operators change while everything runs.
    pub live: Arc<LiveSettings>,
}

impl Worker {
    /// Works until `stop` is true, then finishes what it holds.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut carrying = JoinSet::new();
        while !*stop.borrow() {
            let free = self.settings.parallel.saturating_sub(carrying.len());
            let claimed = if free == 0 { Vec::new() } else { self.claim(free).await };
            let found = claimed.len();
            for claimed in claimed {
                let worker = self.clone();
                carrying.spawn(async move { worker.hold(claimed).await });
            }
            if found == free && found > 0 {
                continue;
            }
            tokio::select! {
                () = self.bell.notified(), if free > 0 => {}
                Some(_) = carrying.join_next() => {}
                _ = stop.changed() => {}
                () = tokio::time::sleep(self.rest().await), if free > 0 => {}
            }
        }
        while carrying.join_next().await.is_some() {}
    }

    async fn claim(&self, limit: usize) -> Vec<Claimed> {
        if let Err(error) = self.live.now().await {
            tracing::warn!(%error, "what operators have changed is not known yet");
        }
        let now = self.clock.now();
        let lease_until = now + millis(self.settings.lease);
        match self.store.claim(&Claim { now, lease_until, limit }).await {
            Ok(claimed) => {
                for one in &claimed {
                    tell(&one.row, &one.steps);
                }
                claimed
            }
            Err(error) => {
                tracing::warn!(%error, "no rows were taken");
                Vec::new()
            }
        }
    }

    /// Until the next row is due, and never longer than a rest.
    async fn rest(&self) -> Duration {
        let due = self.store.next_due().await.ok().flatten();
        let wait = due.map_or(Millis::MAX, |due| due - self.clock.now()).max(5);
        Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(self.settings.rest)
    }

    /// Carries a row while its lease is kept alive; stops when somebody else holds it.
    async fn hold(&self, claimed: Claimed) {
        let (id, fence) = (claimed.row.id.clone(), claimed.row.fence);
        let beat = async {
            loop {
                tokio::time::sleep(self.settings.lease / 3).await;
                let now = self.clock.now();
                let until = now + millis(self.settings.lease);
                match self.store.heartbeat(&id, fence, now, until).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => tracing::warn!(%error, generation = %id, "no sign of life given"),
                }
            }
        };
        tokio::select! {
            result = self.carry(claimed) => if let Err(error) = result {
                // The lease runs out and the row is taken again.
                tracing::warn!(%error, generation = %id, "a row was left where it stands");
            },
            () = beat => tracing::info!(generation = %id, "the row is held by somebody else"),
        }
    }
}

/// A duration in whole milliseconds.
#[must_use]
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
