//! Creates: slots, joins, look-ups by hash (contract §11).

use onepath_core::Strategy;
use onepath_core::lifecycle::{ErrorCode, Event, State};

use super::super::{Answer, Reader, Store};
use super::fixture::{
    MINUTE, NOON, SECOND, TTL, claim_one, complete_all, create, get, go_on, kinds, reader,
    refuse_all, viewer, wanted, wanted_as,
};

pub(super) async fn a_create_makes_a_pending_row(store: &dyn Store) {
    let ada = reader("ada");
    let mut new = wanted("a house", &ada, NOON);
    new.description = Some("for the intro".to_owned());
    let created = create(store, &new).await;
    assert_eq!(created.answer, Answer::Created);
    let row = &created.row;
    assert_eq!((row.number, row.tenant.as_str(), row.owner.as_str()), (1, "studio", "ada"));
    assert_eq!((row.state, row.fence, row.lease_until), (State::NEW, 0, None));
    assert_eq!((row.next_run_at, row.created_at, row.updated_at), (NOON, NOON, NOON));
    assert_eq!(row.asked, new.asked);
    assert_eq!(row.policy, new.policy);
    assert_eq!(row.reuse_key, new.asked.cache_key, "it holds its slot from now on");
    assert_eq!((&row.name, &row.description), (&new.name, &new.description));
    let read = get(store, &ada, &row.id).await;
    assert_eq!(read.row, *row, "what is read is what was answered");
    assert_eq!((read.attempts, read.assets), (vec![], vec![]));
    assert_eq!(kinds(store, &ada, &row.id).await, ["generation.created"]);
}

pub(super) async fn rows_are_numbered_within_their_tenant(store: &dyn Store) {
    let elsewhere = Reader { tenant: "elsewhere".to_owned(), user: "ada".to_owned() };
    for number in 1..4 {
        let what = format!("picture {number}");
        assert_eq!(create(store, &wanted(&what, &reader("ada"), NOON)).await.row.number, number);
        assert_eq!(create(store, &wanted(&what, &elsewhere, NOON)).await.row.number, number);
    }
}

pub(super) async fn a_slot_answers_by_joining_and_then_from_what_is_kept(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let first = create(store, &wanted("a house", &ada, NOON)).await.row;
    for who in [&ada, &ben] {
        let again = create(store, &wanted("a house", who, NOON + 1)).await;
        assert_eq!((again.answer, &again.row.id), (Answer::Joined, &first.id));
    }
    let running = claim_one(store, NOON + 2).await.row;
    let joined = create(store, &wanted("a house", &ben, NOON + 3)).await;
    assert_eq!((joined.answer, joined.row.state), (Answer::Joined, running.state));
    let events = [Event::IntentStored, Event::Accepted, super::fixture::SUCCEEDED, Event::Stored];
    go_on(store, &running, &events, NOON + SECOND).await;
    for who in [&ada, &ben] {
        let again = create(store, &wanted("a house", who, NOON + MINUTE)).await;
        assert_eq!((again.answer, &again.row.id), (Answer::Cache, &first.id));
        assert_eq!(again.row.owner, "ada", "who pays is who came first");
    }
    let other = create(store, &wanted("a ship", &ada, NOON + MINUTE)).await;
    assert_eq!(other.answer, Answer::Created);
}

pub(super) async fn a_joiner_pulls_schedule_and_priority_forward_only(store: &dyn Store) {
    let ada = reader("ada");
    let with = |priority, scheduled_at| {
        let mut new = wanted("a house", &ada, NOON);
        (new.priority, new.scheduled_at) = (priority, scheduled_at);
        new
    };
    let hour = 60 * MINUTE;
    let row = create(store, &with(7, Some(NOON + hour))).await.row;
    assert_eq!(row.next_run_at, NOON + hour);
    let row = create(store, &with(9, Some(NOON + 2 * hour))).await.row;
    assert_eq!((row.priority, row.next_run_at), (7, NOON + hour), "nothing is pushed back");
    let row = create(store, &with(3, Some(NOON + MINUTE))).await.row;
    assert_eq!(
        (row.priority, row.next_run_at, row.scheduled_at),
        (3, NOON + MINUTE, Some(NOON + MINUTE))
    );
    let row = create(store, &with(8, None)).await.row;
    assert_eq!((row.priority, row.next_run_at, row.scheduled_at), (3, NOON, None));
    assert_eq!(get(store, &ada, &row.id).await.row, row);
    // What runs already is not pulled back into the queue.
    let running = claim_one(store, NOON).await.row;
    let joined = create(store, &with(0, None)).await.row;
    assert_eq!((joined.state, joined.lease_until), (running.state, running.lease_until));
}

pub(super) async fn nobody_joins_what_they_may_not_read(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    for strategy in [Strategy::PerPlayer, Strategy::PerPlaythrough] {
        let what = strategy.word();
        let mine = create(store, &wanted_as(strategy, what, &ada, NOON)).await.row;
        let others = create(store, &wanted_as(strategy, what, &ben, NOON)).await;
        assert_eq!(others.answer, Answer::Created, "a row in a taken slot's shadow");
        assert_eq!(others.row.reuse_key, None, "one row a slot");
        assert_eq!(store.get(&viewer(&ben), &mine.id).await.unwrap(), None);
        assert_eq!(store.events(&viewer(&ben), &mine.id).await.unwrap(), vec![]);
        complete_all(store, NOON).await;
        let others = create(store, &wanted_as(strategy, what, &ben, NOON + 1)).await;
        assert_ne!(others.row.id, mine.id);
        assert_eq!(others.answer, Answer::Hash, "their own, not the holder's");
        let again = create(store, &wanted_as(strategy, what, &ada, NOON + 1)).await;
        assert_eq!((again.answer, again.row.id), (Answer::Cache, mine.id));
    }
}

pub(super) async fn the_owner_is_answered_by_hash(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    // The same request under another key, such as that of another strategy.
    let under = |key: &str, who: &Reader, now| {
        let mut new = wanted("a house", who, now);
        new.asked.cache_key = Some(format!("generation:{key}"));
        new
    };
    let first = create(store, &under("one", &ada, NOON)).await.row;
    let early = create(store, &under("two", &ada, NOON)).await;
    assert_eq!(early.answer, Answer::Created, "what is on its way is not looked up by hash");
    complete_all(store, NOON).await;
    let again = create(store, &under("three", &ada, NOON + 1)).await;
    assert_eq!(again.answer, Answer::Hash);
    assert!([&first.id, &early.row.id].contains(&&again.row.id));
    let others = create(store, &under("four", &ben, NOON + 1)).await;
    assert_eq!(others.answer, Answer::Created, "by hash everybody reads their own only");
    let late = NOON + i64::from(TTL) * SECOND;
    // A newer one of somebody else does not hide one's own.
    complete_all(store, NOON + 2).await;
    let again = create(store, &under("five", &ada, late - 1)).await;
    assert_eq!((again.answer, again.row.owner.as_str()), (Answer::Hash, "ada"));
    let again = create(store, &under("five", &ada, late)).await;
    assert_eq!(again.answer, Answer::Created, "what expired is no answer");
}

pub(super) async fn always_never_answers_and_is_never_answered(store: &dyn Store) {
    let ada = reader("ada");
    let always = wanted_as(Strategy::Always, "a house", &ada, NOON);
    let first = create(store, &always).await;
    let second = create(store, &always).await;
    assert_eq!((first.answer, second.answer), (Answer::Created, Answer::Created));
    assert_ne!(first.row.id, second.row.id);
    let done = complete_all(store, NOON).await;
    assert!(done.iter().all(|row| row.reuse_key.is_none() && row.expires_at.is_none()));
    assert_eq!(create(store, &always).await.answer, Answer::Created);
    let once = wanted("a house", &ada, NOON);
    assert_eq!(once.asked.request_hash, always.asked.request_hash);
    assert_eq!(create(store, &once).await.answer, Answer::Created);
    complete_all(store, NOON).await;
    assert_eq!(create(store, &always).await.answer, Answer::Created);
    let mut forced = always.clone();
    forced.asked.force_new = true;
    assert_eq!(create(store, &forced).await.answer, Answer::Created);
    assert!(complete_all(store, NOON).await.iter().all(|row| row.reuse_key.is_none()));
}

pub(super) async fn force_new_takes_the_slot_when_it_completes(store: &dyn Store) {
    let ada = reader("ada");
    let plain = |now| wanted("a house", &ada, now);
    let mut forced = plain(NOON + 1);
    forced.asked.force_new = true;
    let first = create(store, &plain(NOON)).await.row;
    complete_all(store, NOON).await;
    let second = create(store, &forced).await;
    assert_eq!((second.answer, &second.row.reuse_key), (Answer::Created, &None));
    let third = create(store, &forced).await.row;
    assert_ne!(third.id, second.row.id, "what is made anew is not joined");
    let meanwhile = create(store, &plain(NOON + 2)).await;
    assert_eq!((meanwhile.answer, &meanwhile.row.id), (Answer::Cache, &first.id));
    let mut last = String::new();
    for done in complete_all(store, NOON + 3).await {
        assert_eq!(done.reuse_key, forced.asked.cache_key);
        last = done.id;
    }
    let after = create(store, &plain(NOON + 4)).await;
    assert_eq!((after.answer, after.row.id), (Answer::Cache, last));
    assert_eq!(get(store, &ada, &first.id).await.row.reuse_key, None);
    // One that fails leaves the slot where it is.
    create(store, &forced).await;
    refuse_all(store, ErrorCode::ParamInvalid, NOON + 5).await;
    assert_eq!(create(store, &plain(NOON + 6)).await.answer, Answer::Cache);
}

pub(super) async fn what_expires_gives_up_its_slot(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let first = create(store, &wanted("a house", &ada, NOON)).await.row;
    complete_all(store, NOON).await;
    let end = NOON + i64::from(TTL) * SECOND;
    let before = create(store, &wanted("a house", &ada, end - 1)).await;
    assert_eq!((before.answer, &before.row.id), (Answer::Cache, &first.id));
    let after = create(store, &wanted("a house", &ben, end)).await;
    assert_eq!(after.answer, Answer::Created);
    assert_eq!(after.row.reuse_key, first.asked.cache_key, "the slot has moved");
    let joined = create(store, &wanted("a house", &ada, end)).await;
    assert_eq!((joined.answer, joined.row.id), (Answer::Joined, after.row.id));
    let old = get(store, &ada, &first.id).await.row;
    assert!(old.is_complete() && old.reuse_key.is_none(), "it stays to be read");
}

pub(super) async fn what_ended_otherwise_neither_answers_nor_blocks(store: &dyn Store) {
    let ada = reader("ada");
    let new = wanted("a house", &ada, NOON);
    let failed = create(store, &new).await.row;
    let ended = refuse_all(store, ErrorCode::ContentPromptRejected, NOON).await;
    assert_eq!((&ended[0].id, &ended[0].reuse_key), (&failed.id, &None));
    assert!(matches!(ended[0].state, State::Failed { .. }));
    let second = create(store, &new).await;
    assert_eq!(second.answer, Answer::Created);
    assert_eq!(second.row.reuse_key, new.asked.cache_key);
    store.cancel(&ada, &second.row.id, NOON).await.unwrap().unwrap();
    assert_eq!(get(store, &ada, &second.row.id).await.row.reuse_key, None);
    assert_eq!(create(store, &new).await.answer, Answer::Created);
}

pub(super) async fn what_nobody_wants_any_more_is_not_joined(store: &dyn Store) {
    let ada = reader("ada");
    let new = wanted("a house", &ada, NOON);
    create(store, &new).await;
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, Event::Accepted], NOON).await;
    let cancelled = store.cancel(&ada, &row.id, NOON).await.unwrap().unwrap();
    assert!(cancelled.generation.row.is_unwanted(), "its end is not there yet");
    let again = create(store, &new).await;
    assert_eq!(again.answer, Answer::Created);
    assert_ne!(again.row.id, row.id);
    assert_eq!(again.row.reuse_key, new.asked.cache_key);
    // Both may complete: one slot, one holder.
    go_on(store, &row, &[super::fixture::SUCCEEDED, Event::Stored], NOON).await;
    complete_all(store, NOON).await;
    let hit = create(store, &new).await;
    assert_eq!((hit.answer, hit.row.id), (Answer::Cache, again.row.id));
}

pub(super) async fn a_preview_says_what_a_create_does_and_does_nothing(store: &dyn Store) {
    let ada = reader("ada");
    let new = wanted("a house", &ada, NOON);
    let mut under_another_key = new.clone();
    under_another_key.asked.cache_key = Some("generation:other".to_owned());
    let mut forced = new.clone();
    forced.asked.force_new = true;
    assert_eq!(store.preview(&new).await.unwrap(), (Answer::Created, None));
    let row = create(store, &new).await.row;
    assert_eq!(store.preview(&new).await.unwrap(), (Answer::Joined, Some(row.clone())));
    assert_eq!(store.preview(&forced).await.unwrap(), (Answer::Created, None));
    complete_all(store, NOON).await;
    let row = get(store, &ada, &row.id).await.row;
    assert_eq!(store.preview(&new).await.unwrap(), (Answer::Cache, Some(row.clone())));
    let by_hash = store.preview(&under_another_key).await.unwrap();
    assert_eq!(by_hash, (Answer::Hash, Some(row.clone())));
    assert_eq!(get(store, &ada, &row.id).await.row, row, "nothing was written");
    assert_eq!(store.next_due().await.unwrap(), None);
}

/// I8: whatever they share, tenants share no row.
pub(super) async fn tenants_never_meet(store: &dyn Store) {
    let here = reader("ada");
    let there = Reader { tenant: "elsewhere".to_owned(), user: "ada".to_owned() };
    let mine = create(store, &wanted("a house", &here, NOON)).await.row;
    let first = create(store, &wanted("a house", &there, NOON)).await;
    assert_eq!(first.answer, Answer::Created, "nobody joins through the wall");
    assert!(first.row.reuse_key.is_some(), "each tenant has slots of its own");
    complete_all(store, NOON).await;
    let hit = create(store, &wanted("a house", &there, NOON + 1)).await;
    assert_eq!((hit.answer, hit.row.id), (Answer::Cache, first.row.id));
    let asset = get(store, &here, &mine.id).await.assets[0].id.clone();
    assert_eq!(store.get(&viewer(&there), &mine.id).await.unwrap(), None);
    assert_eq!(store.asset(&viewer(&there), &asset).await.unwrap(), None);
    assert_eq!(store.events(&viewer(&there), &mine.id).await.unwrap(), vec![]);
    assert_eq!(store.cancel(&there, &mine.id, NOON + 1).await.unwrap(), None);
    let page = store
        .list(&there, &super::super::ListQuery { limit: 10, ..Default::default() })
        .await
        .unwrap();
    assert!(page.generations.iter().all(|one| one.row.tenant == "elsewhere"));
}
