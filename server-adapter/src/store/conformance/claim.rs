//! Claims: order, leases, fences, deadlines.

use onepath_core::lifecycle::{Attempt as Stage, Effect, ErrorCode, Event, ProviderReport, State};

use super::super::{Claim, Reader, Store};
use super::fixture::{
    MINUTE, NOON, SECOND, SUCCEEDED, advance, claim, claim_one, create, event, get, go_on, kinds,
    reader, stage, wanted,
};

pub(super) async fn claims_go_by_priority_then_time(store: &dyn Store) {
    let ada = reader("ada");
    for (what, priority, at) in
        [("late", 5, NOON + 2), ("soon", 5, NOON), ("first", 0, NOON + 3), ("last", 10, NOON - 9)]
    {
        let mut new = wanted(what, &ada, at);
        new.priority = priority;
        create(store, &new).await;
    }
    let mut order = Vec::new();
    for limit in [1, 2, 0, 10] {
        let claimed = claim(store, NOON + 10, limit).await;
        assert!(claimed.len() <= limit);
        order.extend(claimed.into_iter().map(|claimed| claimed.row.asked.request));
    }
    let expected =
        ["first", "soon", "late", "last"].map(|what| wanted(what, &ada, 0).asked.request);
    assert_eq!(order, expected);
}

pub(super) async fn nothing_is_claimed_before_its_time(store: &dyn Store) {
    let ada = reader("ada");
    assert_eq!(store.next_due().await.unwrap(), None);
    let mut new = wanted("a house", &ada, NOON);
    new.scheduled_at = Some(NOON + MINUTE);
    create(store, &new).await;
    assert_eq!(store.next_due().await.unwrap(), Some(NOON + MINUTE));
    assert_eq!(claim(store, NOON + MINUTE - 1, 10).await, vec![]);
    let claimed = claim_one(store, NOON + MINUTE).await;
    assert_eq!(stage(&claimed.row), Some(Stage::Claimed));
    assert_eq!(claimed.effects, [Effect::StoreIntent]);
    assert_eq!(store.next_due().await.unwrap(), claimed.row.lease_until);
    // A time that has passed is now.
    let mut new = wanted("a ship", &ada, NOON);
    new.scheduled_at = Some(NOON - MINUTE);
    assert_eq!(create(store, &new).await.row.next_run_at, NOON);
}

pub(super) async fn a_lease_keeps_others_out_until_it_runs_out(store: &dyn Store) {
    create(store, &wanted("a house", &reader("ada"), NOON)).await;
    let first = claim_one(store, NOON).await.row;
    assert_eq!((first.fence, first.lease_until), (1, Some(NOON + 30 * SECOND)));
    assert_eq!(claim(store, NOON + 30 * SECOND - 1, 10).await, vec![]);
    let second = claim_one(store, NOON + 30 * SECOND).await;
    assert_eq!((&second.row.id, second.row.fence), (&first.id, 2));
    assert_eq!(stage(&second.row), Some(Stage::Claimed), "nothing was sent: it starts anew");
    assert!(second.effects.contains(&Effect::StoreIntent));
}

/// I5.
pub(super) async fn an_old_fence_changes_nothing(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("a house", &ada, NOON)).await;
    let old = claim_one(store, NOON).await.row;
    let later = NOON + MINUTE;
    let new = claim_one(store, later).await.row;
    assert!(new.fence > old.fence);
    for happens in [
        Event::IntentStored,
        Event::Accepted,
        SUCCEEDED,
        Event::Stored,
        Event::Refused(ErrorCode::ParamInvalid),
        Event::CancelRequested,
        Event::DeadlinePassed,
    ] {
        let mut late = event(&old, happens, later);
        (late.gives_back, late.next_run_at) = (true, Some(later));
        assert_eq!(store.advance(&late).await.unwrap(), None, "{happens:?}");
    }
    assert!(!store.heartbeat(&old.id, old.fence, later, later + MINUTE).await.unwrap());
    let mut ahead = event(&new, Event::IntentStored, later);
    ahead.fence = Some(new.fence + 1);
    assert_eq!(store.advance(&ahead).await.unwrap(), None, "nor does one that nobody was given");
    let read = get(store, &ada, &old.id).await;
    assert_eq!((read.row, read.attempts), (new.clone(), vec![]));
    assert_eq!(kinds(store, &ada, &new.id).await, ["generation.created"]);
    // Whoever holds it goes on.
    go_on(store, &new, &[Event::IntentStored, Event::Accepted], later).await;
}

pub(super) async fn a_heartbeat_holds_a_row_longer(store: &dyn Store) {
    create(store, &wanted("a house", &reader("ada"), NOON)).await;
    let row = claim_one(store, NOON).await.row;
    assert!(store.heartbeat(&row.id, row.fence, NOON, NOON + MINUTE).await.unwrap());
    assert_eq!(store.next_due().await.unwrap(), Some(NOON + MINUTE));
    assert_eq!(claim(store, NOON + MINUTE - 1, 10).await, vec![]);
    assert!(!store.heartbeat("nobody's", 1, NOON, NOON + MINUTE).await.unwrap());
    let events = [Event::IntentStored, Event::Refused(ErrorCode::ParamInvalid)];
    let row = go_on(store, &row, &events, NOON).await;
    assert!(row.state.is_terminal());
    assert!(!store.heartbeat(&row.id, row.fence, NOON, NOON + MINUTE).await.unwrap(), "it is over");
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub(super) async fn a_row_that_is_given_back_waits_until_it_is_due(store: &dyn Store) {
    create(store, &wanted("a house", &reader("ada"), NOON)).await;
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, Event::Accepted], NOON).await;
    let mut wait = event(&row, Event::Reported(ProviderReport::Running), NOON);
    (wait.gives_back, wait.next_run_at) = (true, Some(NOON + 3 * SECOND));
    let row = store.advance(&wait).await.unwrap().unwrap().row;
    assert_eq!((row.lease_until, row.next_run_at), (None, NOON + 3 * SECOND));
    assert!(!store.heartbeat(&row.id, row.fence, NOON, NOON + MINUTE).await.unwrap());
    assert_eq!(claim(store, NOON + 3 * SECOND - 1, 10).await, vec![]);
    let again = claim_one(store, NOON + 3 * SECOND).await;
    assert_eq!((again.row.fence, stage(&again.row)), (row.fence + 1, Some(Stage::Submitted)));
    assert_eq!(again.effects, [Effect::Poll], "it goes on where it stood");
    assert_eq!(again.row.prediction, row.prediction);
}

pub(super) async fn a_failed_attempt_waits_longer_each_time(store: &dyn Store) {
    let mut new = wanted("a house", &reader("ada"), NOON);
    new.policy.attempts = 4;
    create(store, &new).await;
    let (mut now, mut waits) = (NOON, Vec::new());
    for _ in 0..3 {
        let row = claim_one(store, now).await.row;
        let events = [Event::IntentStored, Event::Refused(ErrorCode::ProviderUnavailable)];
        let row = go_on(store, &row, &events, now).await;
        assert!(matches!(
            row.state,
            State::Pending { after: Some(ErrorCode::ProviderUnavailable), .. }
        ));
        assert_eq!(claim(store, row.next_run_at - 1, 10).await, vec![]);
        waits.push(row.next_run_at - now);
        now = row.next_run_at;
    }
    assert_eq!(waits, [SECOND, 2 * SECOND, 4 * SECOND]);
}

pub(super) async fn what_a_lost_lease_left_is_asked_for_first(store: &dyn Store) {
    let ada = reader("ada");
    let left = [
        (&[Event::IntentStored][..], Stage::SubmitUnknown, Effect::LookUp),
        (&[Event::IntentStored, Event::AnswerLost], Stage::SubmitUnknown, Effect::LookUp),
        (&[Event::IntentStored, Event::Accepted], Stage::Submitted, Effect::Poll),
        (&[Event::IntentStored, Event::Accepted, SUCCEEDED], Stage::Settling, Effect::Fetch),
    ];
    for (index, (events, then, effect)) in left.into_iter().enumerate() {
        let now = NOON + i64::try_from(index).unwrap() * 60 * MINUTE;
        create(store, &wanted(&format!("picture {index}"), &ada, now)).await;
        let row = claim_one(store, now).await.row;
        let row = go_on(store, &row, events, now).await;
        let again = claim_one(store, now + MINUTE).await;
        assert_eq!((again.row.id.as_str(), stage(&again.row)), (row.id.as_str(), Some(then)));
        assert_eq!(again.effects, [effect], "{events:?}");
        assert_eq!(again.row.token, row.token, "nothing is sent under another token");
        let known = get(store, &ada, &row.id).await;
        assert_eq!(known.attempts.len(), 1, "and no attempt was added");
        advance(store, &again.row, Event::Found, now + MINUTE).await;
        go_on(store, &again.row, &[SUCCEEDED, Event::Stored], now + MINUTE).await;
    }
}

pub(super) async fn a_deadline_ends_what_waits_and_asks_for_what_was_sent(store: &dyn Store) {
    let ada = reader("ada");
    let mut new = wanted("a house", &ada, NOON);
    new.policy.attempts = 9;
    create(store, &new).await;
    let row = claim_one(store, NOON).await.row;
    let events = [Event::IntentStored, Event::Refused(ErrorCode::ProviderUnavailable)];
    let row = go_on(store, &row, &events, NOON).await;
    let ended = claim_one(store, row.deadline_at.unwrap()).await;
    assert_eq!(ended.row.state, State::Failed { run: 1, error: ErrorCode::ProviderUnavailable });
    assert_eq!((ended.row.lease_until, ended.row.reuse_key), (None, None));

    // Nobody was there until the deadline had passed: the provider may well have made it.
    let sent = [
        (&[Event::IntentStored][..], Effect::LookUp),
        (&[Event::IntentStored, Event::Accepted], Effect::Poll),
        (&[Event::IntentStored, Event::Accepted, SUCCEEDED], Effect::Fetch),
    ];
    for (index, (events, effect)) in sent.into_iter().enumerate() {
        create(store, &wanted(&format!("picture {index}"), &ada, NOON)).await;
        let row = claim_one(store, NOON).await.row;
        let row = go_on(store, &row, events, NOON).await;
        let late = row.deadline_at.unwrap() + 60 * MINUTE;
        let again =
            store.claim(&Claim { now: late, lease_until: late + MINUTE, limit: 1 }).await.unwrap();
        assert_eq!(again[0].effects, [effect], "{events:?}");
        advance(store, &again[0].row, Event::Found, late).await;
        let row = go_on(store, &again[0].row, &[SUCCEEDED, Event::Stored], late).await;
        assert!(row.is_complete());
    }
}

/// However few rows are taken at a time, tenants take turns.
pub(super) async fn a_long_queue_of_one_keeps_nobody_waiting(store: &dyn Store) {
    let ada = reader("ada");
    let eve = Reader { tenant: "other".to_owned(), user: "eve".to_owned() };
    for number in 0..4 {
        create(store, &wanted(&format!("of ada {number}"), &ada, NOON)).await;
    }
    for number in 0..2 {
        create(store, &wanted(&format!("of eve {number}"), &eve, NOON + SECOND)).await;
    }
    let mut turns = Vec::new();
    for second in 2..8 {
        let now = NOON + second * SECOND;
        let held = claim(store, now, 1).await.remove(0).row;
        turns.push(held.owner.clone());
        go_on(store, &held, &[Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored], now)
            .await;
    }
    assert_eq!(turns, ["ada", "eve", "ada", "eve", "ada", "ada"]);
}
