//! The lifecycle: terminal outcomes do not depend on the order of what is reported.

use onepath_core::FallbackMode;
use onepath_core::lifecycle::{
    Effect, ErrorCode, Event, ProviderReport, RunPolicy, State, UnknownPolicy, step,
};
use proptest::prelude::*;

fn policy(fallback: Option<FallbackMode>, attempts: u32, unknown: UnknownPolicy) -> RunPolicy {
    RunPolicy { attempts, fallback, unknown }
}

/// Carries events out; gives the last state and every effect.
fn run(events: &[Event], policy: RunPolicy) -> (State, Vec<Effect>) {
    let mut state = State::NEW;
    let mut all = Vec::new();
    for event in events {
        let (next, effects) = step(state, *event, policy);
        state = next;
        all.extend(effects);
    }
    (state, all)
}

fn settled(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Debit | Effect::Release)).count()
}

#[test]
fn a_lost_answer_is_looked_up_before_anything_is_sent_again() {
    let policy = policy(None, 2, UnknownPolicy::Wait);
    let (state, effects) = run(&[Event::Claimed, Event::IntentStored, Event::AnswerLost], policy);
    assert_eq!(effects.last(), Some(&Effect::LookUp));
    // Only after the provider was asked and does not know it, the same token goes again.
    let (_, effects) = step(state, Event::DeadlinePassed, policy);
    assert_eq!(effects, [Effect::LookUp]);
    let (_, effects) = step(state, Event::NotThere, policy);
    assert_eq!(effects, [Effect::Submit]);
    // A report proves that the provider has it.
    let (state, _) = step(state, Event::Reported(ProviderReport::Running), policy);
    let (_, effects) = step(state, Event::NotThere, policy);
    assert_eq!(effects, []);
}

#[test]
fn attempts_are_bounded_and_a_fallback_is_for_money_a_failure() {
    let failed = Event::Reported(ProviderReport::Failed(ErrorCode::ProviderUnavailable));
    let attempt = [Event::Claimed, Event::IntentStored, Event::Accepted, failed];
    let twice = [attempt, attempt].concat();
    let (state, effects) = run(&twice, policy(Some(FallbackMode::Retry), 2, UnknownPolicy::Wait));
    assert_eq!(state, State::Failed { run: 1, error: ErrorCode::ProviderUnavailable });
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::Submit).count(), 2);
    let (state, effects) = run(&twice, policy(Some(FallbackMode::Skip), 2, UnknownPolicy::Wait));
    let fallback = Some((FallbackMode::Skip, ErrorCode::ProviderUnavailable));
    assert_eq!(state, State::Completed { run: 1, fallback });
    assert!(effects.contains(&Effect::Release) && !effects.contains(&Effect::Debit));
    // An account without credits waits and spends no attempt.
    let deferred = Event::Refused(ErrorCode::ProviderQuota);
    let (state, _) =
        run(&[Event::Claimed, Event::IntentStored, deferred], policy(None, 1, UnknownPolicy::Wait));
    assert_eq!(state, State::Pending { run: 1, spent: 0, after: Some(ErrorCode::ProviderQuota) });
}

#[test]
fn an_explicit_retry_is_a_new_run_with_a_reservation_of_its_own() {
    let policy = policy(None, 1, UnknownPolicy::Wait);
    let (state, _) = run(&[Event::CancelRequested], policy);
    assert_eq!(state, State::Cancelled { run: 1 });
    let (state, effects) = step(state, Event::RetryRequested, policy);
    assert_eq!(state, State::Pending { run: 2, spent: 0, after: None });
    assert!(effects.contains(&Effect::Reserve));
    let done = State::Completed { run: 1, fallback: None };
    assert_eq!(step(done, Event::RetryRequested, policy), (done, vec![]));
}

fn any_event() -> impl Strategy<Value = Event> {
    let code =
        prop::sample::select(ErrorCode::ALL.iter().map(|(_, code)| *code).collect::<Vec<_>>());
    let report = prop_oneof![
        Just(ProviderReport::Running),
        any::<bool>().prop_map(|has_output| ProviderReport::Succeeded { has_output }),
        code.clone().prop_map(ProviderReport::Failed),
        any::<bool>().prop_map(|charged| ProviderReport::Cancelled { charged }),
        Just(ProviderReport::Unknown),
    ];
    prop_oneof![
        prop::sample::select(vec![
            Event::Claimed,
            Event::NoAccount(ErrorCode::ProviderConcurrentLimit),
            Event::PassedOn(ErrorCode::ProviderUnavailable),
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
        ]),
        code.prop_map(Event::Refused),
        report.prop_map(Event::Reported),
    ]
}

fn any_policy() -> impl Strategy<Value = RunPolicy> {
    let fallback = prop::sample::select(vec![
        None,
        Some(FallbackMode::Retry),
        Some(FallbackMode::Skip),
        Some(FallbackMode::Placeholder),
        Some(FallbackMode::DefaultContent),
    ]);
    let unknown = prop::sample::select(vec![
        UnknownPolicy::Wait,
        UnknownPolicy::FailWithoutCharge,
        UnknownPolicy::ResubmitOnce,
    ]);
    (fallback, 1..4_u32, unknown)
        .prop_map(|(fallback, attempts, unknown)| policy(fallback, attempts, unknown))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: a terminal state of a run stays, each run is settled at most once and
    /// exactly when it ends, and attempts stay within the budget.
    #[test]
    fn runs_end_once(events in prop::collection::vec(any_event(), 0..60), policy in any_policy()) {
        let mut state = State::NEW;
        let (mut settlements, mut submits) = (0, 0);
        for event in events {
            let (next, effects) = step(state, event, policy);
            if state.is_terminal() && next != state {
                prop_assert_eq!(event, Event::RetryRequested);
                prop_assert_eq!(next.run(), state.run() + 1);
                (settlements, submits) = (0, 0);
            }
            settlements += settled(&effects);
            submits += effects.iter().filter(|effect| **effect == Effect::Submit).count();
            prop_assert_eq!(settlements, usize::from(next.is_terminal()));
            if let State::Processing { spent, .. } = next {
                prop_assert!(spent <= policy.attempts);
            }
            prop_assert!(next == state || !effects.is_empty() || matches!(event, Event::Reported(_)), "{:?} in silence", event);
            state = next;
        }
        let _ = submits;
    }

    /// Webhooks and polls of one attempt in any order, with repeats: the same end.
    #[test]
    fn reports_in_any_order_end_the_same(
        last in prop::sample::select(vec![
            ProviderReport::Succeeded { has_output: true },
            ProviderReport::Succeeded { has_output: false },
            ProviderReport::Failed(ErrorCode::ContentPromptRejected),
            ProviderReport::Failed(ErrorCode::ParamInvalid),
        ]),
        cancel in any::<bool>(),
        policy in any_policy(),
        order in prop::collection::vec(0..4_usize, 1..12),
    ) {
        let policy = RunPolicy { attempts: 1, ..policy };
        let start = [Event::Claimed, Event::IntentStored];
        let pool = [
            Event::Reported(ProviderReport::Running),
            Event::Accepted,
            Event::Reported(last),
            Event::Reported(ProviderReport::Unknown),
        ];
        // The straight way: reported once, in order.
        let mut straight = start.to_vec();
        straight.extend([Event::Accepted, Event::Reported(last), Event::Stored]);
        // Another way: the same reports in any order and number, the last one at least once.
        let mut other = start.to_vec();
        other.extend(order.iter().map(|index| pool[*index]));
        other.extend([Event::Reported(last), Event::Stored]);
        let expected = run(&straight, policy).0;
        prop_assert!(expected.is_terminal());
        prop_assert_eq!(run(&other, policy).0, expected);
        // Completion wins over cancel, whichever came first.
        if cancel && last == (ProviderReport::Succeeded { has_output: true }) {
            for at in start.len()..=other.len() {
                let mut with_cancel = other.clone();
                with_cancel.insert(at, Event::CancelRequested);
                prop_assert_eq!(run(&with_cancel, policy).0, expected);
            }
        }
    }
}
