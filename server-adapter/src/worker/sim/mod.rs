//! A simulation of everything between a create and its end: the worker as it is, the store in
//! memory, a provider, people, and a world in which calls come late, answers get lost, processes
//! die, stand still and come back. One number gives the whole run, to the last step.

mod judge;
mod people;
mod provider;
mod store;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::memory::InMemory;
use onepath_core::lifecycle::{Attempt, State};
use tokio::sync::Notify;

use self::people::{PEOPLE, People};
use self::provider::SimProvider;
use self::store::SimStore;
use self::world::{NATURE, Process, World, WorldClock};
use super::{Worker, WorkerSettings, millis};
use crate::asset::{Blobs, Spool};
use crate::clock::Clock as _;
use crate::live::LiveSettings;
use crate::provider::Providers;
use crate::store::{Claim, Claimed, Millis, Row};
use crate::vault::Vault;

/// What a run showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Steps of all actors.
    pub steps: u64,
    /// Everything that happened, in one number: two runs of one seed have the same.
    pub trace: u64,
    /// Generations that were made.
    pub generations: u64,
    /// What the provider charged for.
    pub charges: u64,
    /// Processes that were killed.
    pub kills: u64,
    /// What must not be.
    pub fault: Option<String>,
}

/// How long a world may last.
const LONGEST: i64 = 3 * 24 * 60 * 60 * 1000;

/// Plays the world of a seed. It needs a runtime of tokio around it, which it does not drive.
#[must_use]
pub fn play(seed: u64) -> Seen {
    let trouble = match seed % 4 {
        0 => 0,
        1 => 10,
        2 => 40,
        _ => 120,
    };
    let world = World::new(seed, trouble);
    let (store, clock) = (SimStore::new(&world), WorldClock::new(&world));
    let keyed = world.chance(50);
    let provider = SimProvider::new(&world, keyed);
    let people = People {
        world: world.clone(),
        store: store.clone(),
        clock: clock.clone(),
        told: Arc::default(),
        busy: Arc::new(AtomicU64::new(PEOPLE.len() as u64)),
    };
    for index in 0..PEOPLE.len() {
        world.spawn(NATURE, people.clone().live(index));
    }
    let workers = Workers {
        worker: Worker {
            store: Arc::new(store.clone()),
            providers: Providers::new().with(provider.clone()),
            blobs: Blobs::new(Arc::new(InMemory::new()), None),
            // What is made here is small, and lies in no file.
            spool: Spool::new(PathBuf::from("sim"), Arc::new(clock.clone())),
            doors: None,
            clock: Arc::new(clock.clone()),
            bell: Arc::new(Notify::new()),
            urls: None,
            vault: Vault::new([0; 32]),
            accounts: Arc::default(),
            live: Arc::new(LiveSettings::new(Arc::new(store.clone()), Arc::new(clock.clone()))),
            settings: WorkerSettings {
                parallel: 3,
                lease: Duration::from_secs(30),
                deadline: Duration::from_secs(300),
                poll: Duration::from_secs(3),
                rest: Duration::from_secs(1),
            },
        },
        world: world.clone(),
        alive: Arc::default(),
        next: Arc::new(AtomicU64::new(NATURE + 1)),
        kills: Arc::default(),
    };
    for _ in 0..1 + world.below(3) {
        workers.begin();
    }
    world.spawn(NATURE, workers.clone().fate(clock, keyed));
    world.spawn(NATURE, watch(people.clone()));
    world.run();
    let (mut fault, steps, trace) = world.ended();
    if fault.is_none() {
        // Nothing in here waits for anything.
        fault = now(judge::judge(&people, &provider)).flatten();
    }
    Seen {
        steps,
        trace,
        generations: people.store.kept().everything().0.len() as u64,
        charges: provider.charges().values().sum::<usize>() as u64,
        kills: workers.kills.load(Ordering::Relaxed),
        fault,
    }
}

/// The result of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

/// Ends the world when everybody is content, or when it has lasted too long.
async fn watch(people: People) {
    let world = &people.world;
    loop {
        world.pause(10_000).await;
        if people.busy.load(Ordering::Relaxed) > 0 {
            continue;
        }
        // What goes wrong goes on for a while after the last wish, and then no more.
        if world.chance(20) {
            world.calm();
        }
        let rows = people.store.kept().everything().0;
        if rows.iter().all(|row| row.state.is_terminal()) {
            return world.over();
        }
        let late = rows.iter().find(|row| is_late(row, people.clock.now()));
        if let Some(late) = late {
            return world.broken(&format!("I1: nobody gives it up: {late:?}"));
        }
        if world.elapsed() > LONGEST {
            let stuck = rows.iter().find(|row| !row.state.is_terminal());
            return world.broken(&format!("I1: it has no end: {stuck:?}"));
        }
    }
}

/// Whether what a provider has is waited for long after its deadline: by hours, because clocks are
/// set ahead and processes stand still.
fn is_late(row: &Row, now: Millis) -> bool {
    const HOURS: Millis = 7 * 3_600_000;
    let submitted = matches!(row.state, State::Processing { attempt: Attempt::Submitted, .. });
    submitted && row.submitted_at.is_some_and(|at| now - at > HOURS)
}

/// Processes that work.
#[derive(Debug, Clone)]
struct Workers {
    worker: Worker,
    world: World,
    alive: Arc<Mutex<BTreeSet<Process>>>,
    next: Arc<AtomicU64>,
    kills: Arc<AtomicU64>,
}

impl Workers {
    /// Starts a process.
    fn begin(&self) {
        let process = self.next.fetch_add(1, Ordering::Relaxed);
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        let is_alone = alive.is_empty();
        alive.insert(process);
        self.world.spawn(process, self.clone().work(process, is_alone));
    }

    /// What [`Worker::run`] does, in the world's time.
    async fn work(self, process: Process, is_alone: bool) {
        if is_alone {
            // As whoever finds nobody else on a data folder; failing is allowed.
            let _ = self.worker.store.end_leases(self.worker.clock.now()).await;
        }
        let held = Arc::new(AtomicU64::new(0));
        loop {
            let free = 3_u64.saturating_sub(held.load(Ordering::Relaxed));
            let now = self.worker.clock.now();
            let lease_until = now + millis(self.worker.settings.lease);
            let limit = usize::try_from(free).unwrap_or(0);
            let claimed = match free {
                0 => Vec::new(),
                _ => self
                    .worker
                    .store
                    .claim(&Claim { now, lease_until, limit })
                    .await
                    .unwrap_or_default(),
            };
            for claimed in claimed {
                self.hold(process, claimed, &held);
            }
            let due = self.worker.store.next_due().await.ok().flatten();
            let wait = due.map_or(1000, |due| due - self.worker.clock.now()).clamp(5, 1000);
            self.world.pause(u64::try_from(wait).unwrap_or(5)).await;
        }
    }

    /// Carries a row while signs of life are given.
    fn hold(&self, process: Process, claimed: Claimed, held: &Arc<AtomicU64>) {
        let (id, fence) = (claimed.row.id.clone(), claimed.row.fence);
        held.fetch_add(1, Ordering::Relaxed);
        let done = Arc::new(AtomicU64::new(0));
        let (worker, count, end) = (self.worker.clone(), Arc::clone(held), Arc::clone(&done));
        let carrying = self.world.spawn(process, async move {
            // An error leaves the row where it stands.
            let _ = worker.carry(claimed).await;
            end.store(1, Ordering::Relaxed);
            count.fetch_sub(1, Ordering::Relaxed);
        });
        let (own, count) = (self.clone(), Arc::clone(held));
        self.world.spawn(process, async move {
            loop {
                let third = own.worker.settings.lease / 3;
                own.world.pause(u64::try_from(third.as_millis()).unwrap_or(1)).await;
                if done.load(Ordering::Relaxed) == 1 {
                    return;
                }
                let now = own.worker.clock.now();
                let until = now + millis(own.worker.settings.lease);
                let beat = own.worker.store.heartbeat(&id, fence, now, until).await;
                if matches!(beat, Ok(false)) && done.load(Ordering::Relaxed) == 0 {
                    own.world.end(carrying);
                    count.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
            }
        });
    }

    /// Processes die, stand still, and come back; somebody sets the clock.
    async fn fate(self, clock: WorldClock, keyed: bool) {
        let mut left = self.world.below(6);
        loop {
            self.world.pause(1 + self.world.below(30_000)).await;
            let all: Vec<Process> = {
                let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
                alive.iter().copied().collect()
            };
            let which = usize::try_from(self.world.below(all.len().max(1) as u64)).unwrap_or(0);
            let Some(process) = all.get(which).copied() else { continue };
            if left == 0 {
                return;
            }
            left -= 1;
            match self.world.below(5) {
                0..3 => {
                    self.world.kill(process);
                    self.alive.lock().unwrap_or_else(PoisonError::into_inner).remove(&process);
                    self.kills.fetch_add(1, Ordering::Relaxed);
                    self.world.pause(self.world.below(20_000)).await;
                    self.begin();
                }
                3 => self.world.hold(process, self.world.below(90_000)),
                // How long a list may lag is told by the clock: who sets it ahead in the middle
                // of a lost submission has it sent twice, unless its token is a key.
                _ if keyed => clock.jump(3_600_000),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as a moment allows; `cargo xtask faults --only T12` plays a hundred thousand.
    #[test]
    fn worlds_end_well_and_are_played_again_to_the_last_step() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        for seed in 0..60 {
            let seen = play(seed);
            assert_eq!(seen.fault, None, "seed {seed}");
            if seed % 10 == 0 {
                assert_eq!(play(seed), seen, "seed {seed}");
            }
        }
    }
}
