//! Decisions that the suite does not reach: far ends of waiting, and odd beginnings.

use onepath_core::FallbackMode;
use onepath_core::lifecycle::{
    Attempt as Stage, Effect, ErrorCode, Event, ProviderReport, Retry, RunPolicy, State,
    UnknownPolicy, step,
};

use super::super::account::Seat;
use super::super::conformance::{NOON, reader, wanted};
use super::super::decide::{
    self, Budgets, CancelDecision, Change, Failures, decide_cancel, is_done_by_store,
};
use super::super::{Advance, EVENTS, Millis, Row, Transition, known_event, transition};

/// The provider has no accounts.
fn decide_claim(row: &Row, now: Millis, lease_until: Millis) -> Change {
    decide::decide_claim(row, now, lease_until, |_| Seat::Free)
}

/// The run failed with nothing before.
fn decide_advance(row: &Row, advance: &Advance) -> Option<Change> {
    decide::decide_advance(row, advance, &Failures::default())
}

fn new_row() -> Row {
    wanted("a house", &reader("ada"), NOON).into_row(1)
}

/// The row after an attempt that was refused with this code.
fn refused(row: &Row, code: ErrorCode, now: i64) -> Row {
    let claimed = decide_claim(row, now, now + 1).row;
    let mut intent = Advance::new(&claimed, Event::IntentStored, now);
    intent.token = Some("token".to_owned());
    intent.deadline_at = Some(now + 600_000);
    let sent = decide_advance(&claimed, &intent).unwrap().row;
    let refused = Advance::new(&sent, Event::Refused(code), now);
    decide_advance(&sent, &refused).unwrap().row
}

#[test]
fn waiting_doubles_up_to_five_minutes() {
    let mut row = new_row();
    row.policy.attempts = 100;
    let mut waits = Vec::new();
    for _ in 0..12 {
        // Without a deadline, which would end it before.
        row.deadline_at = None;
        let now = row.next_run_at;
        row = refused(&row, ErrorCode::ProviderGeneric, now);
        waits.push((row.next_run_at - now) / 1000);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
}

/// An error has a budget of its own, which an operator may change; what a run may spend in all is
/// another.
#[test]
fn an_error_spends_its_own_budget() {
    let code = ErrorCode::ProviderTimeout;
    let sent = {
        let claimed = decide_claim(&new_row(), NOON, NOON + 1).row;
        let mut intent = Advance::new(&claimed, Event::IntentStored, NOON);
        intent.token = Some("token".to_owned());
        let mut row = decide_advance(&claimed, &intent).unwrap().row;
        row.policy.attempts = 100;
        row
    };
    let ends = |failed: usize, budgets: Budgets| {
        let mut refused = Advance::new(&sent, Event::Refused(code), NOON);
        refused.budgets = budgets;
        let failed = Failures::of(vec![code; failed]);
        decide::decide_advance(&sent, &refused, &failed).unwrap().row.state.is_terminal()
    };
    let all = code.rule().budget as usize;
    let as_set_up = [all - 1, all].map(|failed| ends(failed, Budgets::default()));
    assert_eq!(as_set_up, [false, true]);
    let more = || Budgets::new(vec![(code, code.rule().budget + 2)]);
    assert_eq!([all + 1, all + 2].map(|failed| ends(failed, more())), [false, true]);
    assert!(ends(0, Budgets::new(vec![(code, 0)])), "an operator wants none");
    // What other errors spent is not its own.
    let mut refused = Advance::new(&sent, Event::Refused(code), NOON);
    refused.jitter = 255;
    let others = Failures::of(vec![ErrorCode::ProviderUnavailable; 9]);
    let row = decide::decide_advance(&sent, &refused, &others).unwrap().row;
    assert!(!row.state.is_terminal());
    assert_eq!(row.next_run_at, NOON + code.rule().backoff(1, 255));
}

#[test]
fn a_run_waits_for_a_free_account_for_a_day_and_no_longer() {
    let day = 24 * 60 * 60 * 1000;
    let mut row = new_row();
    let mut now = NOON;
    while matches!(row.state, State::Pending { .. }) {
        assert!(now < NOON + 2 * day, "for ever");
        row = refused(&row, ErrorCode::ProviderQuota, now);
        assert_eq!(
            row.state,
            State::Pending { run: 1, spent: 0, after: Some(ErrorCode::ProviderQuota) }
        );
        now = row.next_run_at;
        if now > NOON + day {
            row = decide_claim(&row, now, now + 1).row;
        }
    }
    assert_eq!(row.state, State::Failed { run: 1, error: ErrorCode::ProviderQuota });
    assert_eq!(row.completed_at, Some(now));
    // Whoever ran into something else is bound by the deadline of the attempt.
    let other = refused(&new_row(), ErrorCode::ProviderGeneric, NOON);
    assert_eq!(other.deadline_at, Some(NOON + 600_000));
    assert!(ErrorCode::ALL.iter().any(|(_, code)| code.retry() == Retry::Defer));
}

/// Waiting for an account may last a day; what is sent afterwards may not.
#[test]
fn what_was_deferred_once_has_a_deadline_like_any_other() {
    let waiting = refused(&new_row(), ErrorCode::ProviderRateLimit, NOON);
    let now = waiting.next_run_at;
    let claimed = decide_claim(&waiting, now, now + 30_000).row;
    let mut intent = Advance::new(&claimed, Event::IntentStored, now);
    (intent.token, intent.deadline_at) = (Some("token".to_owned()), Some(now + 600_000));
    let sent = decide_advance(&claimed, &intent).unwrap().row;
    assert_eq!(sent.deadline_at, Some(now + 600_000));
    // A second attempt does not begin the time anew.
    let failed = refused(&new_row(), ErrorCode::ProviderGeneric, NOON);
    let again = refused(&failed, ErrorCode::ProviderGeneric, failed.next_run_at);
    assert_eq!(again.deadline_at, failed.deadline_at);
}

#[test]
fn a_lease_that_ran_out_before_anything_was_sent_ends_at_the_deadline() {
    let mut row = decide_claim(&new_row(), NOON, NOON + 1).row;
    row.deadline_at = Some(NOON + 1);
    let change = decide_claim(&row, NOON + 1, NOON + 2);
    assert_eq!(change.row.state, State::Failed { run: 1, error: ErrorCode::ProviderTimeout });
    assert_eq!((change.row.lease_until, change.row.fence), (None, 2));
    assert_eq!(change.event, Some("generation.failed"));
}

/// Whatever was sent may stay unseen for a while: the wait begins anew with every sending, and with
/// the last moment at which a worker that is gone may have sent.
#[test]
fn a_lost_submission_counts_from_when_it_may_have_been_sent_last() {
    let claimed = decide_claim(&new_row(), NOON, NOON + 30_000).row;
    let mut intent = Advance::new(&claimed, Event::IntentStored, NOON + 10);
    intent.token = Some("token".to_owned());
    let sent = decide_advance(&claimed, &intent).unwrap().row;
    assert_eq!(sent.submitted_at, Some(NOON + 10));
    // Its holder gave signs of life, and then no more.
    let held = Row { lease_until: Some(NOON + 50_000), ..sent };
    let taken = decide_claim(&held, NOON + 90_000, NOON + 120_000);
    assert_eq!(taken.effects, [Effect::LookUp]);
    assert_eq!(taken.row.submitted_at, Some(NOON + 50_000));
    let not_there = Advance::new(&taken.row, Event::NotThere, NOON + 100_000);
    let again = decide_advance(&taken.row, &not_there).unwrap();
    assert_eq!(again.effects, [Effect::Submit]);
    assert_eq!(again.row.submitted_at, Some(NOON + 100_000));
    let (attempt, token) = again.attempt.unwrap();
    assert_eq!((attempt.number, attempt.submitted_at, token), (1, NOON + 100_000, None));
}

#[test]
fn a_stopped_run_is_stopped_at_the_provider_with_every_claim() {
    let mut row = new_row();
    row.prediction = Some("p".to_owned());
    for (attempt, cancels) in [
        (Stage::Claimed, false),
        (Stage::SubmitUnknown, true),
        (Stage::Submitted, true),
        (Stage::Settling, false),
    ] {
        row.state = State::Processing {
            run: 1,
            spent: 1,
            attempt,
            resubmitted: false,
            cancel_requested: true,
        };
        let effects = decide_claim(&row, NOON, NOON + 1).effects;
        assert_eq!(effects.contains(&Effect::CancelAtProvider), cancels, "{attempt:?}");
        assert!(effects.iter().any(|effect| !is_done_by_store(*effect)), "somebody goes on");
    }
}

#[test]
fn an_owner_whose_interest_was_lost_may_still_cancel() {
    let row = new_row();
    match decide_cancel(&row, &[], &reader("ada"), NOON + 1) {
        CancelDecision::Cancelled(change) => {
            assert_eq!(change.row.state, State::Cancelled { run: 1 });
            assert_eq!(change.row.updated_at, NOON + 1);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        decide_cancel(&row, &["ada".to_owned()], &reader("ben"), NOON),
        CancelDecision::NotThere
    );
}

#[test]
fn only_what_readers_may_be_told_is_an_event() {
    for word in EVENTS {
        assert_eq!(known_event(word), Some(word));
    }
    assert_eq!(known_event("generation.exploded"), None);
}

/// Every state that a run can be in, with what the transitions look at.
fn states() -> Vec<State> {
    let mut states = vec![State::NEW, State::Cancelled { run: 1 }];
    for (_, code) in ErrorCode::ALL {
        states.push(State::Pending { run: 1, spent: 1, after: Some(*code) });
        states.push(State::Failed { run: 1, error: *code });
    }
    states.push(State::Completed { run: 1, fallback: None });
    for attempt in
        [Stage::Claimed, Stage::Submitting, Stage::SubmitUnknown, Stage::Submitted, Stage::Settling]
    {
        for flags in 0..4 {
            let (resubmitted, cancel_requested) = (flags & 1 == 1, flags & 2 == 2);
            states.push(State::Processing {
                run: 1,
                spent: 1,
                attempt,
                resubmitted,
                cancel_requested,
            });
        }
    }
    states
}

#[test]
fn every_change_of_a_run_has_a_word_and_what_is_the_same_has_none() {
    let mut events = vec![
        Event::Claimed,
        Event::NoAccount(ErrorCode::ProviderConcurrentLimit),
        Event::IntentStored,
        Event::Accepted,
        Event::AnswerLost,
        Event::Found,
        Event::NotThere,
        Event::Stored,
        Event::StoreFailed,
        Event::LeaseExpired,
        Event::DeadlinePassed,
        Event::CancelRequested,
        Event::RetryRequested,
    ];
    events.extend(ErrorCode::ALL.iter().map(|(_, code)| Event::Refused(*code)));
    events.extend(
        [
            ProviderReport::Running,
            ProviderReport::Unknown,
            ProviderReport::Succeeded { has_output: true },
            ProviderReport::Succeeded { has_output: false },
            ProviderReport::Failed(ErrorCode::ProviderGeneric),
            ProviderReport::Cancelled { charged: true },
        ]
        .map(Event::Reported),
    );
    let policies = [None, Some(FallbackMode::Skip)].into_iter().flat_map(|fallback| {
        [UnknownPolicy::Wait, UnknownPolicy::FailWithoutCharge, UnknownPolicy::ResubmitOnce]
            .map(|unknown| RunPolicy { attempts: 3, fallback, unknown })
    });
    let mut seen: Vec<Transition> = Vec::new();
    for policy in policies {
        for before in states() {
            for event in &events {
                see(before, *event, policy, &mut seen);
            }
        }
    }
    // The others are no steps of a run.
    let elsewhere = [
        Transition::Created,
        Transition::Overdue,
        Transition::Joined,
        Transition::Withdrawn,
        Transition::Deleted,
    ];
    for known in Transition::ALL {
        assert_ne!(seen.contains(known), elsewhere.contains(known), "{known:?}");
    }
    let mut words: Vec<&str> = Transition::ALL.iter().map(|known| known.word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Transition::ALL.len(), "every word is one transition's");
    let told = Transition::ALL.iter().filter(|known| known.is_told()).map(|known| known.word());
    assert_eq!(told.collect::<Vec<_>>(), EVENTS);
}

fn see(before: State, event: Event, policy: RunPolicy, seen: &mut Vec<Transition>) {
    let (after, _) = step(before, event, policy);
    let found = transition(before, after);
    assert_eq!(found.is_some(), before != after, "{before:?} {event:?} {after:?}");
    seen.extend(found);
}
