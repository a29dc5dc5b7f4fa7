//! People who ask, ask again, change their minds, and keep what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use onepath_core::lifecycle::{RunPolicy, UnknownPolicy};
use onepath_core::{FallbackMode, Rating, Strategy};

use super::store::SimStore;
use super::world::{World, WorldClock};
use crate::clock::{Clock as _, new_id};
use crate::store::conformance::wanted;
use crate::store::{
    CreateOutcome, Creation, Limits, NewGeneration, PlanNow, Reader, Receipt, ReceiptWish,
    Store as _, Viewer,
};

/// Who asks; the last one may not want much at once.
pub(super) const PEOPLE: [(&str, &str); 4] =
    [("one", "ada"), ("one", "ben"), ("two", "ada"), ("one", "few")];

/// What the last one may want at once.
const FEW: i64 = 2;

/// A call that was answered: who, its key, and the generation.
pub(super) type Told = (Reader, String, String);

/// Everybody.
#[derive(Debug, Clone)]
pub(super) struct People {
    pub(super) world: World,
    pub(super) store: SimStore,
    pub(super) clock: WorldClock,
    pub(super) told: Arc<Mutex<Vec<Told>>>,
    /// Who is not done yet.
    pub(super) busy: Arc<AtomicU64>,
}

/// A person of [`PEOPLE`].
pub(super) fn reader(index: usize) -> Reader {
    let (tenant, user) = PEOPLE.get(index % PEOPLE.len()).copied().unwrap_or_default();
    Reader { tenant: tenant.to_owned(), user: user.to_owned() }
}

pub(super) fn viewer(reader: &Reader) -> Viewer {
    Viewer { reader: reader.clone(), bound: Rating::Restricted }
}

fn plan(reader: &Reader) -> PlanNow {
    let few = (reader.user == "few").then_some(FEW);
    PlanNow { limits: Limits { in_flight: few, ..Limits::default() }, since: 0 }
}

impl People {
    /// A person asks for a few things, one after the other.
    pub(super) async fn live(self, index: usize) {
        let reader = reader(index);
        for wish in 0..1 + self.world.below(3) {
            self.world.pause(self.world.below(30_000)).await;
            let key = format!("{index} {wish}");
            let new = self.wish(&reader);
            if let Some(id) = self.create(&reader, &key, &new).await {
                self.afterwards(&reader, &id).await;
            }
        }
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    fn wish(&self, reader: &Reader) -> NewGeneration {
        let world = &self.world;
        let mut new = wanted(&format!("picture {}", world.below(3)), reader, self.clock.now());
        new.asked.strategy = match world.below(5) {
            0 => Strategy::Always,
            1 => Strategy::PerPlayer,
            _ => Strategy::Once,
        };
        if new.asked.strategy == Strategy::Always {
            (new.asked.cache_key, new.asked.ttl_seconds) = (None, None);
        }
        new.asked.force_new = world.chance(10);
        new.priority = i64::try_from(world.below(3)).unwrap_or(0);
        let later = i64::try_from(world.below(60_000)).unwrap_or(0);
        new.scheduled_at = world.chance(15).then_some(new.now + later);
        let fallback = match world.below(3) {
            0 => Some(FallbackMode::Skip),
            1 => Some(FallbackMode::Retry),
            _ => None,
        };
        let unknown =
            if world.chance(30) { UnknownPolicy::FailWithoutCharge } else { UnknownPolicy::Wait };
        new.policy = RunPolicy { attempts: 3, fallback, unknown };
        new
    }

    /// One call, until it is answered; none if the plan does not allow it.
    async fn create(&self, reader: &Reader, key: &str, new: &NewGeneration) -> Option<String> {
        loop {
            let receipt = ReceiptWish {
                route: "POST",
                key: key.to_owned(),
                fingerprint: "content".to_owned(),
                render: Arc::new(|created| Receipt {
                    status: 202,
                    location: created.row.id.clone(),
                    body: created.row.id.clone(),
                }),
            };
            let new =
                NewGeneration { id: new_id(&self.clock), now: self.clock.now(), ..new.clone() };
            let creation = Creation { new, plan: plan(reader), receipt: Some(receipt) };
            let id = match self.store.create(creation).await {
                Ok(CreateOutcome::Done(created)) => created.row.id,
                Ok(CreateOutcome::Replayed(receipt)) => receipt.body,
                Ok(CreateOutcome::Limited(_)) => return None,
                Ok(CreateOutcome::Mismatch) => {
                    self.world.broken("I7: the same content is another");
                    return None;
                }
                Err(_) => {
                    self.world.pause(200).await;
                    continue;
                }
            };
            let told = (reader.clone(), key.to_owned(), id.clone());
            self.told.lock().unwrap_or_else(PoisonError::into_inner).push(told);
            return Some(id);
        }
    }

    async fn afterwards(&self, reader: &Reader, id: &str) {
        for _ in 0..self.world.below(4) {
            self.world.pause(self.world.below(40_000)).await;
            let now = self.clock.now();
            // Whether it was answered or not: the wish was spoken.
            match self.world.below(8) {
                0..3 => drop(self.store.cancel(reader, id, now).await),
                3..6 => drop(self.store.retry(reader, id, plan(reader), now).await),
                6 => drop(self.store.delete(reader, id, now).await),
                _ => drop(self.store.get(&viewer(reader), id).await),
            }
            let used = self.store.kept().used(reader, 0).await;
            if reader.user == "few" && used.is_ok_and(|used| used.in_flight > FEW) {
                self.world.broken("I6: more in flight than allowed");
            }
        }
    }

    /// I7: the same calls once more are answered the same.
    pub(super) async fn again(&self) -> Option<String> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut first: BTreeMap<(String, String, String), String> = BTreeMap::new();
        for (reader, key, id) in told {
            let receipt = ReceiptWish {
                route: "POST",
                key: key.clone(),
                fingerprint: "content".to_owned(),
                render: Arc::new(|_| Receipt {
                    status: 500,
                    location: String::new(),
                    body: "another".to_owned(),
                }),
            };
            let new = self.wish(&reader);
            let creation = Creation { new, plan: plan(&reader), receipt: Some(receipt) };
            match self.store.kept().create(creation).await {
                Ok(CreateOutcome::Replayed(receipt)) if receipt.body == id => {}
                other => return Some(format!("I7: {key} was {id} and is {other:?}")),
            }
            let call = (reader.tenant, reader.user, key);
            if first.insert(call, id.clone()).is_some_and(|before| before != id) {
                return Some(format!("I7: one call was answered twice: {id}"));
            }
        }
        None
    }
}
