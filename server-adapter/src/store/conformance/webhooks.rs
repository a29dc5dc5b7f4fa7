//! Webhooks of providers: kept once, and never more than a hint.

use onepath_core::lifecycle::{Attempt as Stage, ErrorCode, Event, ProviderReport};

use super::super::webhooks::{Door, Taken, Told};
use super::super::{Row, Store};
use super::fixture::{
    MINUTE, NOON, SECOND, advance, claim, claim_one, complete_all, create, event, fresh, get,
    go_on, reader, stage, wanted,
};

fn door(row: &Row) -> Door {
    Door {
        hash: fresh("hash"),
        generation: row.id.clone(),
        attempt: row.attempts,
        provider: "local".to_owned(),
        opened_at: NOON,
    }
}

fn told(row: &Row, at: i64) -> Told {
    Told {
        provider: "local".to_owned(),
        delivery: fresh("delivery"),
        generation: row.id.clone(),
        attempt: row.attempts,
        prediction: row.prediction.clone().unwrap_or_else(|| "told".to_owned()),
        at,
    }
}

/// A row that its provider has, given back until a minute from now.
async fn waits(store: &dyn Store, what: &str) -> Row {
    create(store, &wanted(what, &reader("ada"), NOON)).await;
    let held = claim_one(store, NOON).await.row;
    let row = go_on(store, &held, &[Event::IntentStored, Event::Accepted], NOON).await;
    let mut wait = event(&row, Event::Reported(ProviderReport::Running), NOON);
    (wait.next_run_at, wait.gives_back) = (Some(NOON + MINUTE), true);
    store.advance(&wait).await.unwrap().unwrap().row
}

pub(super) async fn a_webhook_makes_its_row_due_once(store: &dyn Store) {
    let row = waits(store, "a house").await;
    assert_eq!(claim(store, NOON + SECOND, 10).await, []);
    let told = told(&row, NOON + SECOND);
    assert_eq!(store.take_webhook(told.clone()).await.unwrap(), Taken::New);
    assert_eq!(store.next_due().await.unwrap(), Some(NOON + SECOND));
    let held = claim_one(store, NOON + SECOND).await.row;
    assert_eq!((stage(&held), held.prediction.as_ref()), (stage(&row), row.prediction.as_ref()));
    // The same delivery again: not while it is held, and not afterwards.
    assert_eq!(store.take_webhook(told.clone()).await.unwrap(), Taken::Known);
    let mut wait = event(&held, Event::Reported(ProviderReport::Running), NOON + SECOND);
    (wait.next_run_at, wait.gives_back) = (Some(NOON + MINUTE), true);
    let row = store.advance(&wait).await.unwrap().unwrap().row;
    assert_eq!(store.take_webhook(told).await.unwrap(), Taken::Known);
    assert_eq!(store.next_due().await.unwrap(), Some(NOON + MINUTE));
    assert_eq!((row.events, row.attempts), (held.events, 1), "nobody is told anything");
}

pub(super) async fn what_is_told_while_a_row_is_held_is_looked_at_when_it_is_given_back(
    store: &dyn Store,
) {
    waits(store, "a house").await;
    let row = claim_one(store, NOON + MINUTE).await.row;
    assert_eq!(store.take_webhook(told(&row, NOON + MINUTE)).await.unwrap(), Taken::New);
    assert_eq!(claim(store, NOON + MINUTE, 10).await, [], "its holder keeps it");
    let mut wait = event(&row, Event::Reported(ProviderReport::Running), NOON + MINUTE + SECOND);
    (wait.next_run_at, wait.gives_back) = (Some(NOON + 2 * MINUTE), true);
    let row = store.advance(&wait).await.unwrap().unwrap().row;
    assert_eq!(row.next_run_at, NOON + MINUTE + SECOND);
    let row = claim_one(store, NOON + MINUTE + SECOND).await.row;
    assert!(!row.hinted, "once");
    let mut wait = event(&row, Event::Reported(ProviderReport::Running), NOON + MINUTE + SECOND);
    (wait.next_run_at, wait.gives_back) = (Some(NOON + 3 * MINUTE), true);
    store.advance(&wait).await.unwrap().unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(NOON + 3 * MINUTE));
}

pub(super) async fn a_door_leads_to_its_attempt_while_that_is_on_its_way(store: &dyn Store) {
    let row = waits(store, "a house").await;
    let door = door(&row);
    store.open_door(door.clone()).await.unwrap();
    store.open_door(door.clone()).await.unwrap();
    let target = store.behind_door(&door.hash).await.unwrap().unwrap();
    assert_eq!((&target.row, target.attempt, target.provider.as_str()), (&row, 1, "local"));
    assert!(target.is_live());
    assert_eq!(store.behind_door("another").await.unwrap(), None);
    let by_id = store.by_prediction("local", row.prediction.as_ref().unwrap()).await.unwrap();
    assert_eq!(by_id, Some(target));
    assert_eq!(store.by_prediction("fal", row.prediction.as_ref().unwrap()).await.unwrap(), None);
    // The attempt fails and the next one begins: the door leads nowhere any more.
    let row = claim_one(store, NOON + MINUTE).await.row;
    let failed = Event::Reported(ProviderReport::Failed(ErrorCode::ProviderGeneric));
    advance(store, &row, failed, NOON + MINUTE).await;
    assert!(!store.behind_door(&door.hash).await.unwrap().unwrap().is_live());
    let row = claim_one(store, NOON + 2 * MINUTE).await.row;
    let row = go_on(store, &row, &[Event::IntentStored], NOON + 2 * MINUTE).await;
    assert_eq!((row.attempts, stage(&row)), (2, Some(Stage::Submitting)));
    assert!(!store.behind_door(&door.hash).await.unwrap().unwrap().is_live());
    let mut late = told(&row, NOON + 2 * MINUTE);
    late.attempt = 1;
    assert_eq!(store.take_webhook(late).await.unwrap(), Taken::TooLate);
    assert_eq!(store.prediction_told(&row.id, 1).await.unwrap(), None);
}

pub(super) async fn a_webhook_tells_the_prediction_of_a_lost_submission(store: &dyn Store) {
    create(store, &wanted("a house", &reader("ada"), NOON)).await;
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, Event::AnswerLost], NOON).await;
    assert_eq!(store.prediction_told(&row.id, 1).await.unwrap(), None);
    let first = told(&row, NOON + SECOND);
    let second = Told { prediction: "later".to_owned(), ..told(&row, NOON + 2 * SECOND) };
    assert_eq!(store.take_webhook(second).await.unwrap(), Taken::New);
    assert_eq!(store.take_webhook(first).await.unwrap(), Taken::New);
    assert_eq!(store.prediction_told(&row.id, 1).await.unwrap().as_deref(), Some("told"));
    assert_eq!(store.prediction_told(&row.id, 2).await.unwrap(), None);
    assert_eq!(stage(&get(store, &reader("ada"), &row.id).await.row), stage(&row), "a hint only");
}

pub(super) async fn webhooks_of_what_is_over_change_nothing(store: &dyn Store) {
    let ada = reader("ada");
    let id = create(store, &wanted("a house", &ada, NOON)).await.row.id;
    complete_all(store, NOON).await;
    let before = get(store, &ada, &id).await;
    assert_eq!(store.take_webhook(told(&before.row, NOON)).await.unwrap(), Taken::TooLate);
    let nowhere = Told { generation: "nowhere".to_owned(), ..told(&before.row, NOON) };
    assert_eq!(store.take_webhook(nowhere).await.unwrap(), Taken::TooLate);
    assert_eq!(get(store, &ada, &id).await, before);
}

pub(super) async fn what_is_on_its_way_is_not_forgotten(store: &dyn Store) {
    let row = waits(store, "a house").await;
    let door = door(&row);
    store.open_door(door.clone()).await.unwrap();
    let told = told(&row, NOON);
    store.take_webhook(told.clone()).await.unwrap();
    assert_eq!(store.forget_webhooks(NOON + MINUTE).await.unwrap(), 0);
    let held = claim_one(store, NOON).await.row;
    let refused = Event::Reported(ProviderReport::Failed(ErrorCode::ParamInvalid));
    assert!(go_on(store, &held, &[refused], NOON).await.state.is_terminal());
    assert_eq!(store.forget_webhooks(NOON).await.unwrap(), 0, "not of this time");
    assert_eq!(store.forget_webhooks(NOON + MINUTE).await.unwrap(), 2);
    assert_eq!(store.behind_door(&door.hash).await.unwrap(), None);
}
