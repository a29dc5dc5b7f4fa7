//! Any operations in any order: SQLite and PostgreSQL show what the store in memory shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use onepath_core::lifecycle::{ErrorCode, Event, GenerationStatus, ProviderReport, UnknownPolicy};
use onepath_core::{FallbackMode, Rating, Strategy as Sharing};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::conformance::{NOON, blob, done, media, viewer, wanted};
use super::super::{
    Account, AccountQuery, Advance, Asset, AssetPatch, AssetQuery, AssetState, AssetStore as _,
    Budgets, Claim, Creation, Health, Input, KeySource, ListQuery, MemoryStore, Millis,
    NewGeneration, PlanNow, Reader, Setting, Stop, Store, StoreError, Viewer,
};
use super::Folder;
use crate::provider::Credits;

/// One operation; rows are named by their place in the order of creation.
#[derive(Debug, Clone)]
enum Operation {
    Create(Wish),
    Preview(Wish),
    Claim {
        limit: usize,
        lease: Millis,
    },
    Advance {
        row: usize,
        event: Event,
        fence: Fence,
        gives_back: bool,
        wait: Option<Millis>,
    },
    Heartbeat {
        row: usize,
        fence: Fence,
        lease: Millis,
    },
    Cancel {
        row: usize,
        reader: Reader,
    },
    Read {
        row: usize,
        viewer: Viewer,
    },
    List {
        reader: Reader,
        limit: usize,
        status: Option<GenerationStatus>,
    },
    Upload {
        reader: Reader,
        what: usize,
    },
    /// What a worker writes of what was made: on its way, failed or here.
    Fetch {
        row: usize,
        fence: Fence,
        state: usize,
    },
    Asset {
        which: usize,
        reader: Reader,
        how: How,
    },
    Assets {
        reader: Reader,
        query: usize,
    },
    Collect(Millis),
    Account {
        id: usize,
        slots: Option<i64>,
        daily: Option<i64>,
        tenant: Option<usize>,
        on: bool,
    },
    Credits {
        id: usize,
        left: i64,
    },
    Heal {
        id: usize,
    },
    Remove {
        id: usize,
    },
    EndLeases,
    /// An operator stops something, or lets it go on.
    Stop {
        which: usize,
        on: bool,
    },
    Wait(Millis),
}

/// What is done with an asset.
#[derive(Debug, Clone, Copy)]
enum How {
    Read,
    Patch,
    Delete,
    Lineage,
}

#[derive(Debug, Clone)]
struct Wish {
    reader: Reader,
    what: usize,
    sharing: Sharing,
    force_new: bool,
    priority: i64,
    scheduled: Option<Millis>,
    fallback: Option<FallbackMode>,
    unknown: UnknownPolicy,
    credits: Option<i64>,
    /// Whether it starts from the newest upload of its owner.
    starts: bool,
}

/// Whose fence comes with a write.
#[derive(Debug, Clone, Copy)]
enum Fence {
    Newest,
    Older,
    None,
}

fn readers() -> impl Strategy<Value = Reader> {
    select(vec![("one", "ada"), ("one", "ben"), ("two", "ada")])
        .prop_map(|(tenant, user)| Reader { tenant: tenant.to_owned(), user: user.to_owned() })
}

fn viewers() -> impl Strategy<Value = Viewer> {
    let bound = select(vec![Rating::Sfw, Rating::Romantic]);
    (readers(), bound).prop_map(|(reader, bound)| Viewer { reader, bound })
}

fn wishes() -> impl Strategy<Value = Wish> {
    let sharing = select(vec![Sharing::Once, Sharing::Once, Sharing::PerPlayer, Sharing::Always]);
    let scheduled = prop::option::weighted(0.2, 0..60_000_i64);
    let fallback = select(vec![None, Some(FallbackMode::Skip), Some(FallbackMode::Retry)]);
    let unknown = select(vec![
        UnknownPolicy::Wait,
        UnknownPolicy::FailWithoutCharge,
        UnknownPolicy::ResubmitOnce,
    ]);
    let flags = (prop::bool::weighted(0.15), any::<bool>(), prop::option::of(0..4_i64));
    (readers(), 0..3_usize, sharing, flags, 0..3_i64, scheduled, fallback, unknown).prop_map(
        |(
            reader,
            what,
            sharing,
            (force_new, starts, credits),
            priority,
            scheduled,
            fallback,
            unknown,
        )| {
            Wish {
                reader,
                what,
                sharing,
                force_new,
                priority,
                scheduled,
                fallback,
                unknown,
                credits,
                starts,
            }
        },
    )
}

/// Events as a provider and a worker send them, the good ones more often.
fn events() -> impl Strategy<Value = Event> {
    select(vec![
        Event::IntentStored,
        Event::IntentStored,
        Event::IntentStored,
        Event::Accepted,
        Event::Accepted,
        Event::Reported(ProviderReport::Succeeded { has_output: true }),
        Event::Reported(ProviderReport::Succeeded { has_output: true }),
        Event::Stored,
        Event::Stored,
        Event::Stored,
        Event::StoreFailed,
        Event::AnswerLost,
        Event::Found,
        Event::NotThere,
        Event::NoAccount(ErrorCode::ProviderUnavailable),
        Event::DeadlinePassed,
        Event::RetryRequested,
        Event::CancelRequested,
        Event::Refused(ErrorCode::ParamInvalid),
        Event::Refused(ErrorCode::ProviderRateLimit),
        Event::Reported(ProviderReport::Running),
        Event::Reported(ProviderReport::Failed(ErrorCode::ProviderGeneric)),
        Event::Reported(ProviderReport::Cancelled { charged: true }),
    ])
}

fn fences() -> impl Strategy<Value = Fence> + Clone {
    select(vec![Fence::Newest, Fence::Newest, Fence::Newest, Fence::Older, Fence::None])
}

fn operations() -> impl Strategy<Value = Operation> {
    let fence = fences();
    let row = 0..6_usize;
    let status = select(vec![
        None,
        Some(GenerationStatus::Pending),
        Some(GenerationStatus::Completed),
        Some(GenerationStatus::Cancelled),
    ]);
    prop_oneof![
        4 => wishes().prop_map(Operation::Create),
        1 => wishes().prop_map(Operation::Preview),
        4 => (0..4_usize, 1_000..60_000_i64)
            .prop_map(|(limit, lease)| Operation::Claim { limit, lease }),
        12 => (row.clone(), events(), fence.clone(), any::<bool>(), prop::option::of(0..60_000_i64))
            .prop_map(|(row, event, fence, gives_back, wait)| {
                Operation::Advance { row, event, fence, gives_back, wait }
            }),
        1 => (row.clone(), fence, 0..60_000_i64)
            .prop_map(|(row, fence, lease)| Operation::Heartbeat { row, fence, lease }),
        1 => (row.clone(), readers()).prop_map(|(row, reader)| Operation::Cancel { row, reader }),
        2 => (row, viewers()).prop_map(|(row, viewer)| Operation::Read { row, viewer }),
        1 => (readers(), 0..4_usize, status)
            .prop_map(|(reader, limit, status)| Operation::List { reader, limit, status }),
        2 => (readers(), 0..4_usize).prop_map(|(reader, what)| Operation::Upload { reader, what }),
        4 => (0..6_usize, fences(), 0..3_usize)
            .prop_map(|(row, fence, state)| Operation::Fetch { row, fence, state }),
        4 => (0..6_usize, readers(), select(vec![How::Read, How::Patch, How::Delete, How::Lineage]))
            .prop_map(|(which, reader, how)| Operation::Asset { which, reader, how }),
        2 => (readers(), 0..6_usize).prop_map(|(reader, query)| Operation::Assets { reader, query }),
        1 => select(vec![0, 60_000]).prop_map(Operation::Collect),
        3 => select(vec![0_i64, 1, 500, 30_000, 120_000, 4_000_000]).prop_map(Operation::Wait),
        3 => accounts(),
    ]
}

/// Three accounts, now here and now there.
fn accounts() -> impl Strategy<Value = Operation> {
    let id = 0..3_usize;
    let (slots, daily) = (prop::option::of(0..3_i64), prop::option::weighted(0.2, 0..4_i64));
    let tenant = prop::option::weighted(0.2, 0..2_usize);
    prop_oneof![
        5 => (id.clone(), slots, daily, tenant, prop::bool::weighted(0.8)).prop_map(
            |(id, slots, daily, tenant, on)| Operation::Account { id, slots, daily, tenant, on }
        ),
        2 => (id.clone(), 0..4_i64).prop_map(|(id, left)| Operation::Credits { id, left }),
        1 => id.clone().prop_map(|id| Operation::Heal { id }),
        1 => id.prop_map(|id| Operation::Remove { id }),
        1 => Just(Operation::EndLeases),
        2 => (0..3_usize, prop::bool::weighted(0.3))
            .prop_map(|(which, on)| Operation::Stop { which, on }),
    ]
}

/// Both stores, and what is needed to speak of their rows.
struct Pair {
    model: MemoryStore,
    real: Arc<dyn Store>,
    now: Millis,
    /// Id, tenant and newest fence of each row.
    rows: Vec<(String, Reader, i64)>,
    /// Ids of assets that were written, or would have been.
    assets: Vec<String>,
    /// Ids of uploads.
    uploads: Vec<String>,
    next: usize,
    /// The most slots that each account ever had; none for any number.
    most: BTreeMap<String, Option<i64>>,
}

/// Has both do the same, and compares what they say.
macro_rules! both {
    ($pair:expr, $store:ident => $call:expr) => {{
        let $store: &dyn Store = &$pair.model;
        let expected = $call.await.unwrap();
        let $store: &dyn Store = &*$pair.real;
        let found = $call.await.unwrap();
        assert_eq!(found, expected);
        expected
    }};
}

impl Pair {
    fn wish(&mut self, wish: &Wish) -> NewGeneration {
        self.next += 1;
        let mut new = wanted(&format!("picture {}", wish.what), &wish.reader, self.now);
        // What is asked for decides its rating.
        let ratings = [Rating::Sfw, Rating::Romantic, Rating::MatureImplied];
        new.asked.rating.effective = ratings[wish.what % 3];
        new.id = format!("{:08}", self.next);
        new.asked.strategy = wish.sharing;
        new.asked.force_new = wish.force_new;
        (new.priority, new.scheduled_at) = (wish.priority, wish.scheduled.map(|at| self.now + at));
        (new.policy.fallback, new.policy.unknown) = (wish.fallback, wish.unknown);
        new.asked.price_credits = wish.credits;
        if let Some(asset) = self.uploads.last().filter(|_| wish.starts) {
            let role = "image".to_owned();
            new.inputs = vec![Input { position: 0, role, asset: asset.clone() }];
        }
        if wish.sharing == Sharing::Always {
            (new.asked.cache_key, new.asked.ttl_seconds) = (None, None);
        }
        new
    }

    /// What a worker would write of what was made for a row: it goes on with what is there.
    async fn made(&mut self, id: &str, state: AssetState) -> Option<Asset> {
        let row = self.rows.iter().find(|(known, ..)| known == id)?;
        let all = ["ada", "ben"].map(|user| Reader { user: user.to_owned(), ..row.1.clone() });
        let mut found = None;
        for reader in all {
            found = found.or(self.model.get(&viewer(&reader), id).await.unwrap());
        }
        let row = found?.row;
        let known = self.model.outputs(id).await.unwrap().into_iter().next();
        self.next += 1;
        let id = format!("asset {:08}", self.next);
        let mut asset = known.unwrap_or_else(|| Asset::output(&row, id, 0, self.now));
        if matches!(asset.state, AssetState::Downloaded(_)) {
            return None;
        }
        asset.state = state;
        if asset.events == 0 {
            self.assets.push(asset.id.clone());
        }
        Some(asset)
    }

    /// A row of the newest, with the fence as wanted.
    fn row(&self, back: usize, fence: Fence) -> Option<(String, Reader, Option<i64>)> {
        let (id, owner, newest) = self.rows.iter().rev().nth(back)?;
        let fence = match fence {
            Fence::Newest => Some(*newest),
            Fence::Older => Some(newest - 1),
            Fence::None => None,
        };
        Some((id.clone(), owner.clone(), fence))
    }

    async fn carry_out(&mut self, operation: Operation) {
        match operation {
            Operation::Wait(millis) => self.now += millis,
            Operation::Create(wish) => {
                let new = self.wish(&wish);
                let created = done(both!(self, store => store.create(Creation::of(new.clone()))));
                if created.row.id == new.id {
                    self.rows.push((new.id, new.owner, 0));
                }
            }
            Operation::Preview(wish) => {
                let new = self.wish(&wish);
                both!(self, store => store.preview(&new));
            }
            Operation::Claim { limit, lease } => {
                let claim = Claim { now: self.now, lease_until: self.now + lease, limit };
                for claimed in both!(self, store => store.claim(&claim)) {
                    let known = self.rows.iter_mut().find(|(id, ..)| *id == claimed.row.id);
                    let (_, _, fence) = known.unwrap();
                    assert!(claimed.row.fence > *fence, "fences only grow");
                    *fence = claimed.row.fence;
                }
            }
            Operation::Advance { row, event, fence, gives_back, wait } => {
                let Some((id, _, fence)) = self.row(row, fence) else { return };
                self.next += 1;
                let stored = event == Event::Stored;
                let made = if stored {
                    self.made(&id, AssetState::Downloaded(media("made"))).await
                } else {
                    None
                };
                let advance = Advance {
                    id,
                    fence,
                    event,
                    now: self.now,
                    token: Some(format!("token {}", self.next)),
                    deadline_at: Some(self.now + 300_000),
                    prediction: (event == Event::Accepted).then(|| format!("p{}", self.next)),
                    next_run_at: wait.map(|wait| self.now + wait),
                    not_before: None,
                    jitter: 0,
                    budgets: Budgets::new(vec![(ErrorCode::ProviderGeneric, 1)]),
                    gives_back,
                    assets: made.into_iter().collect(),
                    blobs: if stored { vec![blob("made")] } else { Vec::new() },
                };
                both!(self, store => store.advance(&advance));
            }
            Operation::Heartbeat { row, fence, lease } => {
                let Some((id, _, fence)) = self.row(row, fence) else { return };
                let (fence, until) = (fence.unwrap_or(0), self.now + lease);
                both!(self, store => store.heartbeat(&id, fence, self.now, until));
            }
            Operation::Cancel { row, reader } => {
                let Some((id, ..)) = self.row(row, Fence::None) else { return };
                both!(self, store => store.cancel(&reader, &id, self.now));
            }
            Operation::Read { row, viewer } => {
                let Some((id, ..)) = self.row(row, Fence::None) else { return };
                let read = both!(self, store => store.get(&viewer, &id));
                for asset in read.iter().flat_map(|read| &read.assets) {
                    both!(self, store => store.asset(&viewer, &asset.id));
                }
            }
            Operation::Upload { reader, what } => {
                self.next += 1;
                let what = format!("upload {what}");
                let id = format!("asset {:08}", self.next);
                let asset = Asset::upload(&reader, id.clone(), media(&what), self.now);
                let blob = Some(blob(&what));
                let plan = PlanNow::default();
                both!(self, store => store.keep_upload(asset.clone(), blob.clone(), plan));
                if both!(self, store => store.asset(&viewer(&reader), &id)).is_some() {
                    self.uploads.push(id.clone());
                    self.assets.push(id);
                }
            }
            Operation::Fetch { row, fence, state } => {
                let Some((id, _, fence)) = self.row(row, fence) else { return };
                let state = match state {
                    0 => AssetState::Downloading,
                    1 => AssetState::Failed(ErrorCode::StorageFailed),
                    _ => AssetState::Downloaded(media("made")),
                };
                let Some(asset) = self.made(&id, state).await else { return };
                let (blobs, fence) = (vec![blob("made")], fence.unwrap_or(0));
                both!(self, store => {
                    store.put_outputs(&id, fence, vec![asset.clone()], blobs.clone(), self.now)
                });
            }
            Operation::Asset { which, reader, how } => {
                let Some(id) = self.assets.iter().rev().nth(which).cloned() else { return };
                match how {
                    How::Read => {
                        both!(self, store => store.asset(&viewer(&reader), &id));
                        both!(self, store => store.public_asset(&id));
                    }
                    How::Patch => {
                        self.next += 1;
                        let patch = AssetPatch {
                            name: Some(Some(format!("name {}", self.next))),
                            tags: Some(vec![format!("tag {}", self.next % 2)]),
                            public: Some(self.next.is_multiple_of(2)),
                        };
                        both!(self, store => store.patch_asset(&reader, &id, &patch, self.now));
                    }
                    How::Delete => {
                        both!(self, store => store.delete_asset(&reader, &id, self.now));
                    }
                    How::Lineage => {
                        both!(self, store => store.lineage(&viewer(&reader), &id));
                    }
                }
            }
            Operation::Assets { reader, query } => {
                let mut query = AssetQuery {
                    limit: 2,
                    uploads: [None, Some(true), Some(false)][query % 3],
                    tag: (query == 3).then(|| "tag 1".to_owned()),
                    text: (query == 4).then(|| "NAME 1".to_owned()),
                    kind: (query == 5).then(|| "image".to_owned()),
                    ..AssetQuery::default()
                };
                let page = both!(self, store => store.assets(&reader, &query));
                query.after = page.next;
                both!(self, store => store.assets(&reader, &query));
                both!(self, store => store.used(&reader, 0));
            }
            Operation::Collect(grace) => {
                let before = self.now - grace;
                both!(self, store => async {
                    let places = store.collect_blobs(before, 100).await?;
                    Ok::<_, StoreError>(places.len())
                });
            }
            Operation::List { reader, limit, status } => {
                let mut query = ListQuery { limit, status, ..ListQuery::default() };
                let page = both!(self, store => store.list(&reader, &query));
                query.after = page.next;
                both!(self, store => store.list(&reader, &query));
            }
            Operation::Account { id, slots, daily, tenant, on } => {
                let account = Account {
                    id: format!("account {id}"),
                    provider: "local".to_owned(),
                    tenant: tenant.map(|one| ["one", "two"][one].to_owned()),
                    endpoint: None,
                    key: KeySource::None,
                    priority: i64::try_from(id).unwrap() / 2,
                    concurrency: slots,
                    daily_limit: daily,
                    enabled: on,
                    created_at: self.now,
                    updated_at: self.now,
                    health: Health::default(),
                    credits: None,
                };
                both!(self, store => store.put_account(account.clone()));
            }
            Operation::Credits { id, left } => {
                let credits: Credits = [("web".to_owned(), left)].into();
                let id = format!("account {id}");
                both!(self, store => store.put_credits(&id, credits.clone(), self.now));
            }
            Operation::Heal { id } => {
                let id = format!("account {id}");
                both!(self, store => store.heal_account(&id, self.now));
            }
            Operation::Remove { id } => {
                let id = format!("account {id}");
                both!(self, store => store.remove_account(&id, self.now));
            }
            Operation::Stop { which, on } => {
                self.next += 1;
                let stops = match which {
                    0 => Stop::All,
                    1 => Stop::Tenant("studio".to_owned()),
                    _ => Stop::Provider("local".to_owned()),
                };
                let change = Setting {
                    id: format!("setting {:08}", self.next),
                    name: format!("stop {which}"),
                    value: on.then(|| "true".to_owned()),
                    author: "ops".to_owned(),
                    at: self.now,
                    stops: on.then_some(stops),
                };
                both!(self, store => store.put_settings(vec![change.clone()]));
                both!(self, store => store.settings());
                both!(self, store => store.setting_history(None, 5));
                both!(self, store => store.next_due());
            }
            Operation::EndLeases => {
                both!(self, store => store.end_leases(self.now));
            }
        }
        both!(self, store => store.next_due());
        self.count_slots().await;
    }

    /// I6: both count the same, and an account that was given no more slots than it had never has
    /// more in use than it ever was given.
    async fn count_slots(&mut self) {
        let query = AccountQuery::default();
        for one in both!(self, store => store.accounts(&query, self.now)) {
            let account = &one.account;
            let most = self.most.entry(account.id.clone()).or_insert(Some(0));
            *most = match (*most, account.concurrency) {
                (Some(most), Some(slots)) => Some(most.max(slots)),
                _ => None,
            };
            assert!(most.is_none_or(|most| one.in_use <= most), "{} in use", one.in_use);
        }
    }

    /// What lies in both at the end, row by row.
    async fn compare(&self) {
        for (id, owner, _) in &self.rows {
            for (user, bound) in [("ada", Rating::Sfw), ("ben", Rating::Restricted)] {
                let reader = Reader { tenant: owner.tenant.clone(), user: user.to_owned() };
                let viewer = Viewer { reader, bound };
                let read = both!(self, store => store.get(&viewer, id));
                let events = both!(self, store => store.events(&viewer, id));
                let Some(read) = read else { continue };
                let numbers = |count: usize| (1..).take(count).collect::<Vec<i64>>();
                let told: Vec<i64> = events.iter().map(|event| event.number).collect();
                assert_eq!(told, numbers(usize::try_from(read.row.events).unwrap()));
                let tried: Vec<i64> = read.attempts.iter().map(|one| one.number).collect();
                assert_eq!(tried, numbers(usize::try_from(read.row.attempts).unwrap()));
            }
        }
    }
}

/// Carries out the operations on both, and compares what lies in them.
fn compare(operations: Vec<Operation>, real: impl FnOnce() -> Arc<dyn Store>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair {
            model: MemoryStore::new(),
            real: real(),
            now: NOON,
            rows: Vec::new(),
            most: BTreeMap::new(),
            assets: Vec::new(),
            uploads: Vec::new(),
            next: 0,
        };
        for operation in operations {
            pair.carry_out(operation).await;
        }
        pair.compare().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn postgresql_shows_the_same(operations in prop::collection::vec(operations(), 1..80)) {
        compare(operations, || Arc::new(super::postgres::store(&super::postgres::schema())));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn sqlite_shows_the_same(operations in prop::collection::vec(operations(), 1..80)) {
        let folder = Folder::new();
        compare(operations, || Arc::new(folder.store()));
    }
}
