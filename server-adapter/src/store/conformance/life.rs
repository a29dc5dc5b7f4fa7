//! A run from its first stage to its end, and what never changes.

use onepath_core::FallbackMode;
use onepath_core::lifecycle::{
    Attempt as Stage, Effect, ErrorCode, Event, GenerationStatus, ProviderReport, State,
};

use super::super::{Answer, Origin, Store};
use super::fixture::{
    MINUTE, NOON, SECOND, SUCCEEDED, TTL, advance, asset, claim_one, complete_all, create, event,
    get, go_on, kinds, reader, refuse_all, stage, wanted,
};

pub(super) async fn a_run_goes_through_every_stage(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("a house", &ada, NOON)).await;
    let claimed = claim_one(store, NOON + 1).await;
    assert_eq!(claimed.row.status(), GenerationStatus::Processing);

    let mut intent = event(&claimed.row, Event::IntentStored, NOON + 2);
    intent.token = Some("token of the attempt".to_owned());
    let sent = store.advance(&intent).await.unwrap().unwrap();
    assert_eq!(stage(&sent.row), Some(Stage::Submitting));
    assert!(sent.effects.contains(&Effect::Submit));
    assert_eq!(sent.row.token.as_deref(), Some("token of the attempt"));
    assert_eq!((sent.row.attempts, sent.row.started_at), (1, Some(NOON + 2)));
    assert_eq!(sent.row.deadline_at, intent.deadline_at);

    let mut accepted = event(&sent.row, Event::Accepted, NOON + 3);
    accepted.prediction = Some("prediction".to_owned());
    let taken = store.advance(&accepted).await.unwrap().unwrap();
    assert_eq!((stage(&taken.row), taken.effects), (Some(Stage::Submitted), vec![Effect::Poll]));

    let made = advance(store, &taken.row, SUCCEEDED, NOON + 4).await;
    assert_eq!((stage(&made.row), made.effects), (Some(Stage::Settling), vec![Effect::Fetch]));
    assert_eq!(get(store, &ada, &made.row.id).await.assets, vec![]);

    let mut stored = event(&made.row, Event::Stored, NOON + 5);
    let mut second = asset(&made.row, NOON + 5);
    if let Origin::Output { index, .. } = &mut second.origin {
        *index = 1;
    }
    stored.assets.push(second);
    let done = store.advance(&stored).await.unwrap().unwrap();
    assert!(done.effects.contains(&Effect::Debit));
    let read = get(store, &ada, &done.row.id).await;
    assert_eq!(read.row, done.row);
    assert_eq!(read.row.state, State::Completed { run: 1, fallback: None });
    assert_eq!((read.row.lease_until, read.row.completed_at), (None, Some(NOON + 5)));
    assert_eq!(read.row.expires_at, Some(NOON + 5 + i64::from(TTL) * SECOND));
    for asset in &mut stored.assets {
        asset.events = 1;
    }
    assert_eq!(read.assets, stored.assets);
    let attempt = &read.attempts[0];
    assert_eq!((attempt.number, attempt.run, attempt.provider.as_str()), (1, 1, "local"));
    assert_eq!(attempt.prediction.as_deref(), Some("prediction"));
    assert_eq!((attempt.submitted_at, attempt.ended_at), (NOON + 2, Some(NOON + 5)));
    assert_eq!((read.attempts.len(), attempt.error), (1, None));
    assert_eq!(
        kinds(store, &ada, &read.row.id).await,
        [
            "generation.created",
            "generation.started",
            "generation.submitted",
            "generation.completed"
        ]
    );
}

/// I11, over a lost lease, a lost answer, a deferral and a failed attempt.
pub(super) async fn attempts_and_events_have_no_gaps(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("a house", &ada, NOON)).await;
    claim_one(store, NOON).await;
    let row = claim_one(store, NOON + MINUTE).await.row;
    let deferred = Event::Refused(ErrorCode::ProviderRateLimit);
    let row = go_on(store, &row, &[Event::IntentStored, deferred], NOON + MINUTE).await;
    let row = claim_one(store, row.next_run_at).await.row;
    let lost = [Event::IntentStored, Event::AnswerLost, Event::NotThere, Event::AnswerLost];
    let mut row = go_on(store, &row, &lost, NOON + 2 * MINUTE).await;
    row = go_on(store, &row, &[Event::Found], NOON + 2 * MINUTE).await;
    let failed = Event::Reported(ProviderReport::Failed(ErrorCode::ProviderGeneric));
    let row = go_on(store, &row, &[failed], NOON + 2 * MINUTE).await;
    let row = claim_one(store, row.next_run_at).await.row;
    let end = NOON + 3 * MINUTE;
    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored];
    let row = go_on(store, &row, &events, end).await;
    assert!(row.is_complete());
    let read = get(store, &ada, &row.id).await;
    let attempts: Vec<_> = read
        .attempts
        .iter()
        .map(|attempt| (attempt.number, attempt.error, attempt.ended_at.is_some()))
        .collect();
    assert_eq!(
        attempts,
        [
            (1, Some(ErrorCode::ProviderRateLimit), true),
            (2, Some(ErrorCode::ProviderGeneric), true),
            (3, None, true)
        ]
    );
    let told = kinds(store, &ada, &row.id).await;
    assert_eq!(i64::try_from(told.len()).unwrap(), row.events);
    let ends = |kind: &str| told.iter().filter(|told| **told == kind).count();
    assert_eq!(
        (ends("generation.deferred"), ends("generation.retried"), ends("generation.completed")),
        (1, 1, 1)
    );
    assert_eq!(told.last(), Some(&"generation.completed"));
}

/// I4.
pub(super) async fn what_is_over_stays_as_it_is(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("done", &ada, NOON)).await;
    let done = complete_all(store, NOON).await.remove(0);
    create(store, &wanted("failed", &ada, NOON)).await;
    let failed = refuse_all(store, ErrorCode::ParamInvalid, NOON).await.remove(0);
    let waits = create(store, &wanted("cancelled", &ada, NOON)).await.row;
    store.cancel(&ada, &waits.id, NOON).await.unwrap().unwrap();
    for id in [&done.id, &failed.id, &waits.id] {
        let before = get(store, &ada, id).await;
        let told = kinds(store, &ada, id).await;
        for happens in [
            Event::Claimed,
            Event::IntentStored,
            Event::Accepted,
            Event::AnswerLost,
            SUCCEEDED,
            Event::Reported(ProviderReport::Failed(ErrorCode::ProviderGeneric)),
            Event::Stored,
            Event::StoreFailed,
            Event::LeaseExpired,
            Event::DeadlinePassed,
            Event::CancelRequested,
        ] {
            let mut late = event(&before.row, happens, NOON + MINUTE);
            late.prediction = Some("another".to_owned());
            late.assets = vec![asset(&before.row, NOON + MINUTE)];
            if let Origin::Output { index, .. } = &mut late.assets[0].origin {
                *index = 5;
            }
            (late.gives_back, late.next_run_at) = (true, Some(NOON + MINUTE));
            for fence in [Some(before.row.fence), None] {
                late.fence = fence;
                let after = store.advance(&late).await.unwrap();
                assert!(after.is_none_or(|after| after.effects.is_empty()), "{happens:?}");
            }
            assert_eq!(get(store, &ada, id).await, before, "{happens:?}");
        }
        assert_eq!(kinds(store, &ada, id).await, told);
        let again = store.cancel(&ada, id, NOON + MINUTE).await.unwrap().unwrap();
        assert_eq!((again.withdrawn, again.generation), (false, before));
    }
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub(super) async fn what_comes_from_outside_needs_no_fence(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("a house", &ada, NOON)).await;
    let held = claim_one(store, NOON).await.row;
    let held = go_on(store, &held, &[Event::IntentStored], NOON).await;
    // The webhook is faster than the answer to the submission.
    let mut webhook = event(&held, SUCCEEDED, NOON + 1);
    webhook.fence = None;
    let told = store.advance(&webhook).await.unwrap().unwrap();
    assert_eq!((stage(&told.row), told.effects), (Some(Stage::Settling), vec![Effect::Fetch]));
    assert_eq!((told.row.fence, told.row.lease_until), (held.fence, held.lease_until));
    let row = go_on(store, &told.row, &[Event::Accepted, Event::Stored], NOON + 2).await;
    assert!(row.is_complete());
    webhook.id = "nobody's".to_owned();
    assert_eq!(store.advance(&webhook).await.unwrap(), None);
}

pub(super) async fn a_fallback_stands_in_and_is_no_answer(store: &dyn Store) {
    let ada = reader("ada");
    for mode in [FallbackMode::Placeholder, FallbackMode::DefaultContent, FallbackMode::Skip] {
        let mut new = wanted(mode.word(), &ada, NOON);
        new.policy.fallback = Some(mode);
        create(store, &new).await;
        let row = refuse_all(store, ErrorCode::ContentImageRejected, NOON).await.remove(0);
        let fallback = Some((mode, ErrorCode::ContentImageRejected));
        assert_eq!(row.state, State::Completed { run: 1, fallback });
        assert_eq!((&row.reuse_key, row.expires_at), (&None, None));
        assert_eq!(get(store, &ada, &row.id).await.row, row);
        let told = kinds(store, &ada, &row.id).await;
        assert_eq!(told.last(), Some(&"generation.completed"));
        // Neither by key nor by hash.
        let again = create(store, &new).await;
        assert_eq!((again.answer, again.row.reuse_key), (Answer::Created, new.asked.cache_key));
        store.cancel(&ada, &again.row.id, NOON).await.unwrap().unwrap();
    }
}

pub(super) async fn an_explicit_retry_is_a_new_run(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("a house", &ada, NOON)).await;
    let failed = refuse_all(store, ErrorCode::ParamInvalid, NOON).await.remove(0);
    let mut retry = event(&failed, Event::RetryRequested, NOON + MINUTE);
    retry.fence = None;
    let row = store.advance(&retry).await.unwrap().unwrap().row;
    assert_eq!(row.state, State::Pending { run: 2, spent: 0, after: None });
    assert_eq!((row.started_at, row.completed_at, row.deadline_at), (None, None, None));
    let done = complete_all(store, NOON + MINUTE).await.remove(0);
    assert_eq!((done.id, done.state), (row.id, State::Completed { run: 2, fallback: None }));
    let runs: Vec<_> = get(store, &ada, &failed.id)
        .await
        .attempts
        .iter()
        .map(|attempt| (attempt.number, attempt.run))
        .collect();
    assert_eq!(runs, [(1, 1), (2, 2)]);
}

/// I13.
pub(super) async fn what_was_asked_never_changes(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let first = create(store, &wanted("a house", &ada, NOON)).await.row;
    // The joiner asks for the same under other words, and inherits the row.
    let mut same = wanted("a house", &ben, NOON + 1);
    same.asked.request = r#"{"type":"text_to_image","prompt":"a house","flags":{}}"#.to_owned();
    same.asked.price_micros = Some(9);
    same.name = Some("another name".to_owned());
    create(store, &same).await;
    store.cancel(&ada, &first.id, NOON + 2).await.unwrap().unwrap();
    complete_all(store, NOON + 3).await;
    let row = get(store, &ben, &first.id).await.row;
    assert_eq!(row.owner, "ben");
    assert_eq!(row.asked, first.asked);
    assert_eq!((row.number, row.tenant), (first.number, first.tenant));
    assert_eq!((row.created_at, row.name), (first.created_at, first.name));
}
