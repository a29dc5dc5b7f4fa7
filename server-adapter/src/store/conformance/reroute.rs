//! Providers that are down: the next one is asked, at its own price, and what it makes is no answer
//! to what was asked.

use onepath_core::lifecycle::{ErrorCode, Event, ProviderReport, State};

use super::super::account::Deferral;
use super::super::{Answer, Millis, NewGeneration, Origin, Other, Row, Store};
use super::fixture::{
    MINUTE, NOON, SUCCEEDED, advance, claim, claim_one, create, get, go_on, kinds, reader, stage,
    wanted,
};
use super::slots::account;

/// Another provider, at a price of its own.
fn other(provider: &str, reserved_micros: i64) -> Other {
    Other {
        provider: provider.to_owned(),
        request: format!(r#"{{"type":"text_to_image","provider_id":"{provider}"}}"#),
        request_hash: format!("hash of {provider}"),
        price_credits: None,
        reserved_micros,
    }
}

/// A wish that two other providers may carry out.
fn wish() -> NewGeneration {
    let mut new = wanted("a lamp", &reader("ada"), NOON);
    new.asked.others = vec![other("second", 2_500), other("third", 1_500)];
    new
}

async fn used(store: &dyn Store) -> (i64, i64) {
    let used = store.used(&reader("ada"), 0).await.unwrap();
    (used.runs, used.micros)
}

const DOWN: Event = Event::Refused(ErrorCode::ProviderUnavailable);

/// The row after the asked provider has refused it as one that is down.
async fn passed_on(store: &dyn Store, code: ErrorCode) -> Row {
    create(store, &wish()).await;
    let row = claim_one(store, NOON).await.row;
    assert_eq!((row.provider(), row.reserved_micros()), ("local", 1_500));
    go_on(store, &row, &[Event::IntentStored, Event::Refused(code)], NOON).await
}

pub(super) async fn the_next_is_asked_when_one_is_down(store: &dyn Store) {
    for code in [ErrorCode::ProviderUnavailable, ErrorCode::ProviderAuth, ErrorCode::ProviderQuota]
    {
        assert!(code.is_down());
    }
    let row = passed_on(store, ErrorCode::ProviderAuth).await;
    let after = Some(ErrorCode::ProviderAuth);
    assert_eq!(row.state, State::Pending { run: 1, spent: 0, after });
    assert_eq!((row.provider(), row.request_hash()), ("second", "hash of second"));
    assert_eq!((row.next_run_at, row.deferred), (NOON, None), "at once");
    assert_eq!(used(store).await, (1, 2_500), "at its own price");
    // It is asked, and is down as well.
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, DOWN], NOON).await;
    assert_eq!((row.provider(), used(store).await), ("third", (1, 1_500)));
    let row = claim_one(store, NOON).await.row;
    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored];
    let row = go_on(store, &row, &events, NOON).await;
    assert!(row.is_complete());
    assert_eq!(used(store).await, (1, 1_500));
    let made = get(store, &reader("ada"), &row.id).await;
    let asked: Vec<_> =
        made.attempts.iter().map(|one| (one.provider.as_str(), one.error)).collect();
    let down = Some(ErrorCode::ProviderUnavailable);
    assert_eq!(asked, [("local", after), ("second", down), ("third", None)]);
    assert_eq!(made.row, row);
    let Origin::Output { provider, .. } = &made.assets[0].origin else { panic!("an output") };
    assert_eq!(provider, "third");
    let told = kinds(store, &reader("ada"), &row.id).await;
    assert_eq!(told.last(), Some(&"generation.completed"));
}

pub(super) async fn what_another_made_is_no_answer_to_what_was_asked(store: &dyn Store) {
    let row = passed_on(store, ErrorCode::ProviderUnavailable).await;
    // While it is on its way others may share it; they see who makes it.
    assert_eq!(create(store, &wish()).await.answer, Answer::Joined);
    let held = claim_one(store, NOON).await.row;
    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored];
    let done = go_on(store, &held, &events, NOON).await;
    assert_eq!((done.id, done.reuse_key, done.expires_at), (row.id, None, None));
    assert_eq!(done.serving.as_deref(), Some("second"));
    // Neither under its key nor by its hash: the asked provider is asked again.
    let again = create(store, &wish()).await;
    assert_eq!((again.answer, again.row.provider()), (Answer::Created, "local"));
    // And no holder of the slot is driven out by it.
    let mut anew = wish();
    anew.asked.force_new = true;
    let anew = create(store, &anew).await.row;
    let held = claim(store, NOON, 10).await;
    assert_eq!(held.len(), 2);
    for one in held {
        let events: &[Event] = if one.row.id == anew.id {
            &[Event::IntentStored, DOWN]
        } else {
            &[Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored]
        };
        go_on(store, &one.row, events, NOON).await;
    }
    let held = claim_one(store, NOON).await.row;
    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored];
    let done = go_on(store, &held, &events, NOON).await;
    assert_eq!((done.id, done.reuse_key), (anew.id, None));
    let hit = create(store, &wish()).await;
    assert_eq!((hit.answer, hit.row.id), (Answer::Cache, again.row.id));
}

pub(super) async fn a_submission_that_may_have_arrived_is_never_passed_on(store: &dyn Store) {
    create(store, &wish()).await;
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, Event::AnswerLost], NOON).await;
    for nothing in [DOWN, Event::NoAccount(ErrorCode::ProviderUnavailable)] {
        let after = advance(store, &row, nothing, NOON).await.row;
        assert_eq!((after.provider(), after.state), ("local", row.state), "{nothing:?}");
    }
    // Known not to be there it goes again to the same provider, under the same token.
    let again = advance(store, &row, Event::NotThere, NOON).await.row;
    assert_eq!((again.provider(), &again.token), ("local", &row.token));
    // Now the provider says no: nothing is on its way.
    let after = advance(store, &again, DOWN, NOON).await.row;
    assert_eq!(after.provider(), "second");
}

pub(super) async fn a_prediction_that_came_to_nothing_is_passed_on(store: &dyn Store) {
    create(store, &wish()).await;
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, Event::Accepted], NOON).await;
    let failed = |code| Event::Reported(ProviderReport::Failed(code));
    let down = advance(store, &row, failed(ErrorCode::ProviderUnavailable), NOON).await.row;
    assert_eq!(down.provider(), "second");
    // What is wrong with the request is wrong everywhere: nobody else is asked.
    let held = claim_one(store, NOON).await.row;
    let row = go_on(store, &held, &[Event::IntentStored, Event::Accepted], NOON).await;
    let row = advance(store, &row, failed(ErrorCode::ContentPromptRejected), NOON).await.row;
    let error = ErrorCode::ContentPromptRejected;
    assert_eq!((row.provider(), row.state), ("second", State::Failed { run: 1, error }));
    assert_eq!(used(store).await, (0, 0), "given back, at the price of who failed it");
    // Asked for again it is the asked provider's.
    let plan = super::super::PlanNow::default();
    store.retry(&reader("ada"), &row.id, plan, NOON).await.unwrap();
    let row = claim_one(store, NOON).await.row;
    assert_eq!((row.provider(), used(store).await), ("local", (1, 1_500)));
}

pub(super) async fn accounts_that_rest_pass_a_row_on(store: &dyn Store) {
    store.put_account(account("main", Some(1))).await.unwrap();
    let error = ErrorCode::ProviderUnavailable;
    store.account_failed("main", error, Some(NOON + 60 * MINUTE), NOON).await.unwrap();
    create(store, &wish()).await;
    let row = claim_one(store, NOON).await.row;
    assert_eq!((row.provider(), row.account.as_deref()), ("second", None));
    assert_eq!(used(store).await, (1, 2_500));
    // Without anybody else it waits.
    create(store, &wanted("a pier", &reader("ada"), NOON)).await;
    assert_eq!(claim(store, NOON, 10).await, vec![]);
}

pub(super) async fn a_slot_that_is_taken_is_waited_for(store: &dyn Store) {
    store.put_account(account("main", Some(1))).await.unwrap();
    create(store, &wanted("a pier", &reader("ada"), NOON)).await;
    let first = claim_one(store, NOON).await.row;
    let made = create(store, &wish()).await.row;
    assert_eq!(claim(store, NOON, 10).await, vec![]);
    let waits = get(store, &reader("ada"), &made.id).await.row;
    assert_eq!((waits.provider(), waits.deferred), ("local", Some(Deferral::AccountsBusy)));
    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored];
    go_on(store, &first, &events, NOON).await;
    let next: Millis = NOON + MINUTE;
    let row = claim_one(store, next).await.row;
    assert_eq!((&row.id, stage(&row).is_some()), (&made.id, true));
}

pub(super) async fn a_row_waits_for_the_accounts_of_who_makes_it(store: &dyn Store) {
    let mut of_second = account("of second", Some(1));
    of_second.provider = "second".to_owned();
    store.put_account(of_second).await.unwrap();
    let row = passed_on(store, ErrorCode::ProviderUnavailable).await;
    let held = claim_one(store, NOON).await.row;
    assert_eq!((held.provider(), held.account.as_deref()), ("second", Some("of second")));
    let accounts = store.accounts(&Default::default(), NOON).await.unwrap();
    assert_eq!(accounts[0].in_use, 1);
    let held = go_on(store, &held, &[Event::IntentStored, Event::Accepted], NOON).await;
    // The slot is another's: whoever comes after waits for it, and is woken by it.
    let mut second = wish();
    (second.asked.request_hash, second.asked.cache_key) = ("x".to_owned(), Some("x".to_owned()));
    second.asked.others.truncate(1);
    create(store, &second).await;
    let one = claim_one(store, NOON).await.row;
    go_on(store, &one, &[Event::IntentStored, DOWN], NOON).await;
    assert_eq!(claim(store, NOON, 10).await, vec![]);
    go_on(store, &held, &[SUCCEEDED, Event::Stored], NOON).await;
    let woken = claim_one(store, NOON).await.row;
    assert_eq!((woken.provider(), woken.account.as_deref()), ("second", Some("of second")));
    assert_ne!(woken.id, row.id);
}
