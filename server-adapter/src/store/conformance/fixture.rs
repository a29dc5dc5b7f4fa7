//! What the cases are made of.

use std::sync::atomic::{AtomicU64, Ordering};

use onepath_core::lifecycle::{ErrorCode, Event, ProviderReport, RunPolicy, State, UnknownPolicy};
use onepath_core::{GenerationType, Operation, Rating, RatingTrail, Strategy};
use sha2::{Digest as _, Sha256};

use super::super::{
    Advance, Advanced, Asked, Asset, AssetState, Blob, Claim, Claimed, CreateOutcome, Created,
    Creation, Generation, Media, Millis, NewGeneration, Reader, Row, Store, Viewer,
};
use crate::clock::hex;

/// The time at which the cases begin.
pub const NOON: Millis = 1_800_000_000_000;

pub(super) const SECOND: Millis = 1_000;
pub(super) const MINUTE: Millis = 60_000;

/// For how many seconds a result is an answer.
pub(super) const TTL: u32 = 3600;

/// A user of the tenant `studio`.
#[must_use]
pub fn reader(user: &str) -> Reader {
    Reader { tenant: "studio".to_owned(), user: user.to_owned() }
}

/// The user of a reader, who may be shown everything.
#[must_use]
pub fn viewer(reader: &Reader) -> Viewer {
    Viewer { reader: reader.clone(), bound: Rating::Restricted }
}

/// Ids and tokens that were never there before, and grow.
pub(super) fn fresh(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{what}-{:09}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A wish of strategy `once`; the same `what` is the same request.
#[must_use]
pub fn wanted(what: &str, owner: &Reader, now: Millis) -> NewGeneration {
    let hash = |tag: &str| hex(&Sha256::digest(format!("{tag} {what}")));
    let rating = RatingTrail { asked: Rating::Romantic, effective: Rating::Sfw, bound_by: None };
    NewGeneration {
        id: fresh("generation"),
        owner: owner.clone(),
        asked: Asked {
            request: format!(r#"{{"type":"text_to_image","prompt":"{what}"}}"#),
            generation_type: GenerationType::TextToImage,
            operation: Operation::TextToImage,
            provider: "local".to_owned(),
            strategy: Strategy::Once,
            request_hash: hash("request"),
            family_hash: hash("family"),
            cache_key: Some(format!("generation:text_to_image|{what}")),
            seed: Some("7".to_owned()),
            rating,
            ttl_seconds: Some(TTL),
            force_new: false,
            price_micros: Some(1_500),
            price_credits: None,
            reserved_micros: 1_500,
            world: None,
            workspace: None,
            others: Vec::new(),
            public: false,
            trace: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        },
        policy: RunPolicy { attempts: 2, fallback: None, unknown: UnknownPolicy::default() },
        name: Some("name".to_owned()),
        description: None,
        priority: 5,
        scheduled_at: None,
        inputs: Vec::new(),
        now,
    }
}

/// A wish of another strategy.
pub(super) fn wanted_as(
    strategy: Strategy,
    what: &str,
    owner: &Reader,
    now: Millis,
) -> NewGeneration {
    let mut new = wanted(what, owner, now);
    new.asked.strategy = strategy;
    if strategy == Strategy::Always {
        (new.asked.cache_key, new.asked.ttl_seconds) = (None, None);
    }
    new
}

pub(super) async fn create(store: &dyn Store, new: &NewGeneration) -> Created {
    let new = NewGeneration { id: fresh("generation"), ..new.clone() };
    done(store.create(Creation::of(new)).await.unwrap())
}

/// What answers a create that nothing stood in the way of.
#[must_use]
pub fn done(outcome: CreateOutcome) -> Created {
    match outcome {
        CreateOutcome::Done(created) => *created,
        other => panic!("{other:?}"),
    }
}

/// Takes up to `limit` rows for half a minute; those that only go on waiting are left out.
pub(super) async fn claim(store: &dyn Store, now: Millis, limit: usize) -> Vec<Claimed> {
    let claim = Claim { now, lease_until: now + 30 * SECOND, limit };
    let mut claimed = store.claim(&claim).await.unwrap();
    claimed.retain(|one| !matches!(one.row.state, State::Pending { .. }));
    claimed
}

/// Takes the one row that is due.
pub(super) async fn claim_one(store: &dyn Store, now: Millis) -> Claimed {
    let mut claimed = claim(store, now, 10).await;
    assert_eq!(claimed.len(), 1, "one row is due");
    claimed.remove(0)
}

/// An event of whoever holds the row; a stored intent comes with a new token.
pub(super) fn event(row: &Row, event: Event, now: Millis) -> Advance {
    let mut advance = Advance::new(row, event, now);
    match event {
        Event::IntentStored => {
            advance.token = Some(fresh("token"));
            advance.deadline_at = Some(now + 10 * MINUTE);
        }
        Event::Accepted => advance.prediction = Some(fresh("prediction")),
        Event::Stored => {
            (advance.assets, advance.blobs) = (vec![asset(row, now)], vec![blob("made")]);
        }
        _ => {}
    }
    advance
}

/// What a file of these words is.
#[must_use]
pub fn media(what: &str) -> Media {
    Media {
        media_type: "image/png".to_owned(),
        width: 640,
        height: 360,
        duration_ms: None,
        bytes: 12_345,
        sha256: hex(&Sha256::digest(what)),
    }
}

/// A blob of the same words.
#[must_use]
pub fn blob(what: &str) -> Blob {
    let place = fresh("place");
    Blob { sha256: media(what).sha256, place, bytes: 12_345 }
}

/// Something that was made for a row and is here.
pub(super) fn asset(row: &Row, now: Millis) -> Asset {
    let mut asset = Asset::output(row, fresh("asset"), 0, now);
    asset.state = AssetState::Downloaded(media("made"));
    asset
}

pub(super) async fn advance(store: &dyn Store, row: &Row, happens: Event, now: Millis) -> Advanced {
    store.advance(&event(row, happens, now)).await.unwrap().expect("the fence is the newest")
}

pub(super) const SUCCEEDED: Event = Event::Reported(ProviderReport::Succeeded { has_output: true });

/// Applies events one after the other.
pub(super) async fn go_on(store: &dyn Store, row: &Row, events: &[Event], now: Millis) -> Row {
    let mut row = row.clone();
    for happens in events {
        row = advance(store, &row, *happens, now).await.row;
    }
    row
}

/// Carries everything that is due to its good end.
///
/// # Panics
///
/// The store does not do what it should.
pub async fn complete_all(store: &dyn Store, now: Millis) -> Vec<Row> {
    let mut done = Vec::new();
    for claimed in claim(store, now, 100).await {
        let events = [Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored];
        let row = go_on(store, &claimed.row, &events, now).await;
        assert!(row.is_complete());
        done.push(row);
    }
    done
}

/// Has the provider refuse everything that is due.
pub(super) async fn refuse_all(store: &dyn Store, code: ErrorCode, now: Millis) -> Vec<Row> {
    let mut done = Vec::new();
    for claimed in claim(store, now, 100).await {
        let events = [Event::IntentStored, Event::Refused(code)];
        done.push(go_on(store, &claimed.row, &events, now).await);
    }
    done
}

pub(super) async fn get(store: &dyn Store, reader: &Reader, id: &str) -> Generation {
    store.get(&viewer(reader), id).await.unwrap().expect("it is there")
}

pub(super) async fn kinds(store: &dyn Store, reader: &Reader, id: &str) -> Vec<&'static str> {
    let events = store.events(&viewer(reader), id).await.unwrap();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.number, i64::try_from(index).unwrap() + 1, "events have no gaps");
        assert!(event.is_of(id));
    }
    events.iter().map(|event| event.kind).collect()
}

/// How far a row's attempt is.
pub(super) fn stage(row: &Row) -> Option<onepath_core::lifecycle::Attempt> {
    match row.state {
        State::Processing { attempt, .. } => Some(attempt),
        _ => None,
    }
}
