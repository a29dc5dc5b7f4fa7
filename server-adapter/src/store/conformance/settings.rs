//! Settings of operators: what counts, what was before, and what is not begun.

use onepath_core::lifecycle::{ErrorCode, Event, ProviderReport, State};

use super::super::{Budgets, Setting, Stop, Store};
use super::fixture::{
    MINUTE, NOON, SECOND, advance, claim, create, event, fresh, get, go_on, kinds, reader, wanted,
};

fn setting(name: &str, value: Option<&str>, at: i64, stops: Option<Stop>) -> Setting {
    Setting {
        id: fresh("setting"),
        name: name.to_owned(),
        value: value.map(str::to_owned),
        author: "ops".to_owned(),
        at,
        stops,
    }
}

pub(super) async fn the_last_change_counts_and_all_are_kept(store: &dyn Store) {
    assert_eq!(store.settings().await.unwrap(), []);
    let first = setting("attempts", Some("3"), NOON, None);
    let other = setting("submission", Some("false"), NOON, Some(Stop::All));
    store.put_settings(vec![first.clone(), other.clone()]).await.unwrap();
    let second = setting("attempts", None, NOON + SECOND, None);
    store.put_settings(vec![second.clone()]).await.unwrap();
    assert_eq!(store.settings().await.unwrap(), [second.clone(), other.clone()]);
    let history = |name| store.setting_history(name, 10);
    assert_eq!(history(Some("attempts")).await.unwrap(), [second.clone(), first.clone()]);
    assert_eq!(history(None).await.unwrap(), [second.clone(), other, first]);
    assert_eq!(history(Some("polling")).await.unwrap(), []);
    assert_eq!(store.setting_history(None, 1).await.unwrap(), [second]);
}

pub(super) async fn what_is_stopped_is_not_begun_and_goes_on_afterwards(store: &dyn Store) {
    let ada = reader("ada");
    let other = super::super::Reader { tenant: "other".to_owned(), user: "eve".to_owned() };
    for (index, (name, stops)) in [
        ("pause_tenant:studio", Stop::Tenant("studio".to_owned())),
        ("pause_provider:local", Stop::Provider("local".to_owned())),
        ("submission", Stop::All),
    ]
    .into_iter()
    .enumerate()
    {
        let now = NOON + i64::try_from(index).unwrap() * MINUTE;
        let running = create(store, &wanted(&format!("{name} runs"), &ada, now)).await.row;
        let held = claim(store, now, 10).await.remove(0).row;
        assert_eq!(held.id, running.id);
        let held = go_on(store, &held, &[Event::IntentStored, Event::Accepted], now).await;
        let waits = create(store, &wanted(&format!("{name} waits"), &ada, now)).await.row;
        let mut others = wanted(&format!("{name} others"), &other, now);
        others.asked.provider = "replicate".to_owned();
        let others = create(store, &others).await.row;

        let covers_others = stops == Stop::All;
        store.put_settings(vec![setting(name, Some("true"), now, Some(stops))]).await.unwrap();
        let claimed = claim(store, now, 10).await;
        let ids: Vec<&str> = claimed.iter().map(|one| one.row.id.as_str()).collect();
        let expected: &[&str] = if covers_others { &[] } else { &[&others.id] };
        assert_eq!(ids, expected, "{name}");
        // What the provider has is asked for as ever.
        let mut given_back = event(&held, Event::Reported(ProviderReport::Running), now);
        given_back.next_run_at = Some(now + SECOND);
        given_back.gives_back = true;
        store.advance(&given_back).await.unwrap().unwrap();
        let due = store.next_due().await.unwrap().unwrap();
        assert!(due > now, "nobody looks again and again at what is stopped");
        let again = claim(store, now + SECOND, 10).await.remove(0).row;
        assert_eq!(again.id, held.id);
        let done = [super::fixture::SUCCEEDED, Event::Stored];
        assert!(go_on(store, &again, &done, now + SECOND).await.is_complete());
        let seen = get(store, &ada, &waits.id).await.row;
        assert_eq!((seen.state, seen.deferred), (State::NEW, None));

        store.put_settings(vec![setting(name, None, now + 2 * SECOND, None)]).await.unwrap();
        let resumed = claim(store, now + 2 * SECOND, 10).await;
        assert!(resumed.iter().any(|one| one.row.id == waits.id), "{name}");
        for one in resumed.into_iter().chain(claimed) {
            let events = [Event::IntentStored, Event::Refused(ErrorCode::ParamInvalid)];
            go_on(store, &one.row, &events, now + 3 * SECOND).await;
        }
    }
}

/// A worker that dies before it has sent anything leaves a row that is begun anew, and that waits,
/// too.
pub(super) async fn what_was_held_and_not_sent_waits_too(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("a house", &ada, NOON)).await;
    assert_eq!(claim(store, NOON, 10).await.len(), 1);
    let stop = Some(Stop::Tenant("studio".to_owned()));
    store.put_settings(vec![setting("pause_tenant:studio", Some("1"), NOON, stop)]).await.unwrap();
    assert_eq!(claim(store, NOON + MINUTE, 10).await.len(), 0);
    store.put_settings(vec![setting("pause_tenant:studio", None, NOON, None)]).await.unwrap();
    assert_eq!(claim(store, NOON + MINUTE, 10).await.len(), 1);
}

pub(super) async fn an_error_has_a_budget_of_its_own(store: &dyn Store) {
    let ada = reader("ada");
    let mut new = wanted("a house", &ada, NOON);
    new.policy.attempts = 10;
    let id = create(store, &new).await.row.id;
    let (filtered, timeout) = (ErrorCode::ContentFiltered, ErrorCode::ProviderTimeout);
    let budgets = Budgets::new(vec![(filtered, 1), (timeout, 2)]);
    let mut seen = Vec::new();
    for (index, code) in [timeout, filtered, timeout, filtered].into_iter().enumerate() {
        let now = NOON + i64::try_from(index).unwrap() * MINUTE;
        let held = claim(store, now, 10).await.remove(0).row;
        let sent = advance(store, &held, Event::IntentStored, now).await.row;
        let mut refused = event(&sent, Event::Refused(code), now);
        refused.budgets = budgets.clone();
        let row = store.advance(&refused).await.unwrap().unwrap().row;
        seen.push(row.state.is_terminal());
    }
    assert_eq!(seen, [false, false, false, true], "the second filtered one is one too many");
    // An explicit retry is a run with budgets of its own.
    let now = NOON + 100 * MINUTE;
    store.retry(&ada, &id, super::super::PlanNow::default(), now).await.unwrap();
    let held = claim(store, now, 10).await.remove(0).row;
    let sent = advance(store, &held, Event::IntentStored, now).await.row;
    let mut refused = event(&sent, Event::Refused(filtered), now);
    refused.budgets = budgets;
    assert!(!store.advance(&refused).await.unwrap().unwrap().row.state.is_terminal());
}

pub(super) async fn whoever_takes_too_long_is_overdue_once(store: &dyn Store) {
    let ada = reader("ada");
    let row = create(store, &wanted("a house", &ada, NOON)).await.row;
    let late = row.overdue_at.unwrap();
    assert_eq!(late - NOON, row.asked.operation.timeouts().overall_ms);
    let held = claim(store, NOON, 1).await.remove(0).row;
    let held = go_on(store, &held, &[Event::IntentStored, Event::Accepted], NOON).await;
    assert!(!held.is_overdue(late) && held.is_overdue(late + 1));
    let mut held = held;
    for at in [late, late + 1, late + SECOND] {
        let mut back = event(&held, Event::Reported(ProviderReport::Running), at - 1);
        (back.next_run_at, back.gives_back) = (Some(at), true);
        store.advance(&back).await.unwrap().unwrap();
        held = claim(store, at, 1).await.remove(0).row;
    }
    assert!(held.overdue);
    let told = ["generation.created", "generation.started", "generation.submitted"];
    assert_eq!(kinds(store, &ada, &row.id).await, [&told[..], &["generation.overdue"]].concat());
    let done = [super::fixture::SUCCEEDED, Event::Stored];
    let done = go_on(store, &held, &done, late + SECOND).await;
    assert!(done.is_complete() && done.is_overdue(late + MINUTE), "it goes on all the same");
}
