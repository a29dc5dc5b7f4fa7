//! Slots of accounts: never more than there are, and back with the lease of whoever dies.

use std::collections::BTreeSet;
use std::sync::Arc;

use onepath_core::lifecycle::{Attempt as Stage, Effect, ErrorCode, Event, ProviderReport, State};

use super::super::account::{Breaker, Deferral};
use super::super::{
    Account, AccountNow, AccountQuery, Claimed, Health, KeySource, Millis, Row, Store,
};
use super::Case;
use super::fixture::{
    MINUTE, NOON, SECOND, SUCCEEDED, advance, claim, claim_one, create, event, get, go_on, kinds,
    reader, stage, wanted,
};

/// An account of the provider `local` with so many slots.
pub(super) fn account(id: &str, slots: Option<i64>) -> Account {
    Account {
        id: id.to_owned(),
        provider: "local".to_owned(),
        tenant: None,
        endpoint: None,
        key: KeySource::None,
        priority: 5,
        concurrency: slots,
        daily_limit: None,
        enabled: true,
        created_at: NOON,
        updated_at: NOON,
        health: Health::default(),
        credits: None,
    }
}

async fn put(store: &dyn Store, account: Account) {
    assert!(store.put_account(account).await.unwrap());
}

async fn now_of(store: &dyn Store, id: &str, now: Millis) -> AccountNow {
    let all = store.accounts(&AccountQuery::default(), now).await.unwrap();
    all.into_iter().find(|one| one.account.id == id).expect("the account is there")
}

async fn in_use(store: &dyn Store, id: &str, now: Millis) -> i64 {
    now_of(store, id, now).await.in_use
}

async fn create_some(store: &dyn Store, count: usize) {
    for index in 0..count {
        create(store, &wanted(&format!("picture {index}"), &reader("ada"), NOON)).await;
    }
}

/// I6: slots in use are the rows that use them.
pub(super) async fn no_more_run_than_there_are_slots(store: &dyn Store) {
    put(store, account("main", Some(2))).await;
    create_some(store, 3).await;
    let held = claim(store, NOON, 10).await;
    assert_eq!(held.len(), 2, "the third waits");
    for one in &held {
        assert_eq!(one.row.account.as_deref(), Some("main"));
        assert_eq!(one.effects, [Effect::StoreIntent]);
    }
    assert_eq!(in_use(store, "main", NOON).await, 2);
    // It waits with a reason, was not failed, and is told about once.
    let waiting = waiting_row(store).await;
    let busy = Some(ErrorCode::ProviderConcurrentLimit);
    assert_eq!(waiting.state, State::Pending { run: 1, spent: 0, after: busy });
    assert_eq!((waiting.deferred, waiting.account), (Some(Deferral::AccountsBusy), None));
    assert!(waiting.next_run_at > NOON);
    let told = kinds(store, &reader("ada"), &waiting.id).await;
    assert_eq!(told, ["generation.created", "generation.deferred"]);
    assert_eq!(claim(store, NOON, 10).await, vec![]);
    // Every stage at the provider keeps the slot, held by a worker or not.
    let row = held[0].row.clone();
    let row = go_on(store, &row, &[Event::IntentStored, Event::Accepted], NOON).await;
    let mut wait = event(&row, Event::Reported(ProviderReport::Running), NOON);
    (wait.gives_back, wait.next_run_at) = (true, Some(NOON + SECOND));
    let row = store.advance(&wait).await.unwrap().unwrap().row;
    assert_eq!(in_use(store, "main", NOON + 10 * MINUTE).await, 1, "only what was sent");
    assert_eq!(in_use(store, "main", NOON).await, 2);
    // What is over gives it back, and whoever waited goes on at once.
    go_on(store, &row, &[SUCCEEDED, Event::Stored], NOON + SECOND).await;
    assert_eq!(in_use(store, "main", NOON + SECOND).await, 1);
    let next = claim_one(store, NOON + SECOND).await.row;
    assert_eq!((next.id, next.account.as_deref()), (waiting.id.clone(), Some("main")));
    assert_eq!(next.deferred, None);
    let read = get(store, &reader("ada"), &row.id).await;
    assert_eq!(read.row.account, None);
    assert_eq!(read.attempts[0].account.as_deref(), Some("main"), "who paid is kept");
}

/// The one row that waits.
async fn waiting_row(store: &dyn Store) -> Row {
    let query = super::super::ListQuery {
        status: Some(onepath_core::lifecycle::GenerationStatus::Pending),
        limit: 10,
        ..Default::default()
    };
    let mut page = store.list(&reader("ada"), &query).await.unwrap().generations;
    assert_eq!(page.len(), 1);
    page.remove(0).row
}

/// What a worker held that died before it sent anything.
pub(super) async fn a_lease_that_ran_out_gives_its_slot_back(store: &dyn Store) {
    put(store, account("main", Some(1))).await;
    create_some(store, 2).await;
    let dead = claim(store, NOON, 1).await.remove(0).row;
    let end = dead.lease_until.unwrap();
    assert_eq!(in_use(store, "main", end - 1).await, 1);
    assert_eq!(in_use(store, "main", end).await, 0, "without anybody having looked");
    // Whoever is first gets it, here the other row.
    let mut first = wanted("in a hurry", &reader("ada"), end);
    first.priority = 0;
    create(store, &first).await;
    let next = claim(store, end, 1).await.remove(0).row;
    assert_eq!((next.asked.request, next.account.as_deref()), (first.asked.request, Some("main")));
    // The one that was taken for dead comes back: its slot is somebody else's.
    assert!(!store.heartbeat(&dead.id, dead.fence, end, end + MINUTE).await.unwrap());
    let late = event(&dead, Event::IntentStored, end);
    assert_eq!(store.advance(&late).await.unwrap(), None, "and nothing is sent");
    assert_eq!(in_use(store, "main", end).await, 1);
    assert_eq!(claim(store, end, 10).await, vec![]);
}

/// What a provider may have keeps its slot, however long nobody looks.
pub(super) async fn what_was_sent_keeps_its_slot_when_its_worker_dies(store: &dyn Store) {
    put(store, account("main", Some(1))).await;
    create_some(store, 2).await;
    let row = claim(store, NOON, 1).await.remove(0).row;
    advance(store, &row, Event::IntentStored, NOON).await;
    let later = NOON + 5 * MINUTE;
    assert_eq!(in_use(store, "main", later).await, 1);
    let again = claim_one(store, later).await;
    assert_eq!((&again.row.id, again.effects.as_slice()), (&row.id, &[Effect::LookUp][..]));
    assert_eq!(again.row.account.as_deref(), Some("main"), "it is asked with the same account");
    // It was never there: the same token goes again, on the same slot.
    let sent = go_on(store, &again.row, &[Event::NotThere, Event::Accepted], later).await;
    assert_eq!((sent.account.as_deref(), in_use(store, "main", later).await), (Some("main"), 1));
}

pub(super) async fn whoever_ends_leases_gives_slots_back(store: &dyn Store) {
    put(store, account("main", Some(1))).await;
    create_some(store, 1).await;
    let dead = claim_one(store, NOON).await.row;
    assert_eq!(store.end_leases(NOON).await.unwrap(), 1);
    assert_eq!(in_use(store, "main", NOON).await, 0);
    let again = claim_one(store, NOON).await.row;
    assert_eq!((again.fence, again.account.as_deref()), (dead.fence + 1, Some("main")));
}

pub(super) async fn a_cancel_gives_the_slot_back(store: &dyn Store) {
    put(store, account("main", Some(1))).await;
    create_some(store, 2).await;
    let row = claim(store, NOON, 1).await.remove(0).row;
    assert_eq!(claim(store, NOON, 1).await, vec![], "the other one waits for the slot");
    store.cancel(&reader("ada"), &row.id, NOON).await.unwrap().unwrap();
    assert_eq!(in_use(store, "main", NOON).await, 0);
    let next = claim_one(store, NOON).await.row;
    assert_ne!(next.id, row.id);
}

pub(super) async fn accounts_are_chosen_by_priority_then_the_longest_unused(store: &dyn Store) {
    put(store, Account { priority: 1, ..account("second", Some(1)) }).await;
    put(store, Account { priority: 0, ..account("first b", Some(1)) }).await;
    put(store, Account { priority: 0, ..account("first a", Some(1)) }).await;
    create_some(store, 3).await;
    let chosen = |held: &[Claimed]| -> Vec<String> {
        held.iter().map(|one| one.row.account.clone().unwrap()).collect()
    };
    let first = claim(store, NOON, 2).await;
    assert_eq!(chosen(&first), ["first a", "first b"]);
    let third = claim(store, NOON + 1, 2).await;
    assert_eq!(chosen(&third), ["second"]);
    for held in first.iter().chain(&third) {
        store.cancel(&reader("ada"), &held.row.id, NOON + 1).await.unwrap().unwrap();
    }
    // All are free: it is each one's turn.
    for (now, expected) in [(1, "first a"), (2, "first b"), (3, "first a")] {
        let now = NOON + now * MINUTE;
        create(store, &wanted(&format!("later {now}"), &reader("ada"), now)).await;
        let held = claim(store, now, 10).await;
        assert_eq!(chosen(&held), [expected]);
        store.cancel(&reader("ada"), &held[0].row.id, now).await.unwrap().unwrap();
    }
}

pub(super) async fn private_accounts_work_for_their_tenant(store: &dyn Store) {
    let private = Account { tenant: Some("elsewhere".to_owned()), ..account("private", None) };
    put(store, private.clone()).await;
    create_some(store, 1).await;
    assert_eq!(claim(store, NOON, 10).await, vec![]);
    let waiting = waiting_row(store).await;
    assert_eq!(waiting.deferred, Some(Deferral::NoAccount));
    let of = |tenant: &str| AccountQuery { tenant: Some(tenant.to_owned()), provider: None };
    assert_eq!(store.accounts(&of("studio"), NOON).await.unwrap(), vec![]);
    assert_eq!(store.accounts(&of("elsewhere"), NOON).await.unwrap().len(), 1);
    // An operator shares it: whoever waited goes on at once.
    put(store, Account { tenant: None, updated_at: NOON + SECOND, ..private }).await;
    assert_eq!(claim_one(store, NOON + SECOND).await.row.account.as_deref(), Some("private"));
    assert_eq!(store.accounts(&of("studio"), NOON).await.unwrap().len(), 1);
}

pub(super) async fn an_account_rests_after_failures_and_a_probe_heals_it(store: &dyn Store) {
    put(store, account("main", Some(5))).await;
    let mut now = NOON;
    // The third failure in a row opens the breaker.
    for failures in 1..=3 {
        let mut new = wanted(&format!("picture {failures}"), &reader("ada"), now);
        new.policy.attempts = 1;
        create(store, &new).await;
        let row = claim_one(store, now).await.row;
        let failed = Event::Reported(ProviderReport::Failed(ErrorCode::ProviderUnavailable));
        go_on(store, &row, &[Event::IntentStored, Event::Accepted, failed], now).await;
        let health = now_of(store, "main", now).await.account.health;
        assert_eq!(health.streak, failures);
        assert_eq!(matches!(health.breaker(now), Breaker::Open(_)), failures == 3);
        now += SECOND;
    }
    for index in 0..3 {
        create(store, &wanted(&format!("later {index}"), &reader("ada"), now)).await;
    }
    assert_eq!(claim(store, now, 10).await, vec![]);
    let health = now_of(store, "main", now).await.account.health;
    let Breaker::Open(until) = health.breaker(now) else { panic!("{health:?}") };
    assert_eq!(store.next_due().await.unwrap(), Some(until));
    // One probe, although five slots are free; then everybody.
    let probe = claim(store, until, 10).await;
    assert_eq!(probe.len(), 1);
    let row = go_on(store, &probe[0].row, &[Event::IntentStored, Event::Accepted], until).await;
    assert_eq!(claim(store, until, 10).await.len(), 2);
    go_on(store, &row, &[SUCCEEDED], until).await;
    let health = now_of(store, "main", until).await.account.health;
    assert_eq!((health.streak, health.cooldown_until, health.last_error), (0, None, None));
    // Content that is refused is not the account's fault.
    let row = claim_or_held(store, until).await;
    let filtered = Event::Reported(ProviderReport::Failed(ErrorCode::ContentPromptRejected));
    go_on(store, &row, &[Event::IntentStored, Event::Accepted, filtered], until).await;
    assert_eq!(now_of(store, "main", until).await.account.health.streak, 0);
}

/// A row to go on with.
async fn claim_or_held(store: &dyn Store, now: Millis) -> Row {
    create(store, &wanted("one more", &reader("ada"), now)).await;
    claim_one(store, now).await.row
}

pub(super) async fn too_many_at_the_provider_rests_the_account_and_another_goes_on(
    store: &dyn Store,
) {
    put(store, Account { priority: 0, ..account("small", None) }).await;
    put(store, account("large", None)).await;
    create_some(store, 1).await;
    let row = claim_one(store, NOON).await.row;
    assert_eq!(row.account.as_deref(), Some("small"));
    let row = advance(store, &row, Event::IntentStored, NOON).await.row;
    let mut refused = event(&row, Event::Refused(ErrorCode::ProviderRateLimit), NOON);
    refused.not_before = Some(NOON + 90 * SECOND);
    store.advance(&refused).await.unwrap().unwrap();
    let health = now_of(store, "small", NOON).await.account.health;
    assert_eq!(health.breaker(NOON), Breaker::Open(NOON + 90 * SECOND), "as the provider asked");
    // Nothing was made and no attempt is spent: the other account takes it at once.
    let again = claim_one(store, NOON).await.row;
    assert_eq!(again.account.as_deref(), Some("large"));
    assert!(matches!(again.state, State::Processing { spent: 0, .. }));
    // With both at rest it waits for the first.
    let row = advance(store, &again, Event::IntentStored, NOON).await.row;
    let mut refused = event(&row, Event::Refused(ErrorCode::ProviderConcurrentLimit), NOON);
    refused.not_before = Some(NOON + 30 * SECOND);
    store.advance(&refused).await.unwrap().unwrap();
    assert_eq!(claim(store, NOON, 10).await, vec![]);
    let waiting = waiting_row(store).await;
    assert_eq!(waiting.deferred, Some(Deferral::AccountsCooling));
    assert_eq!(waiting.next_run_at, NOON + 30 * SECOND);
    assert_eq!(claim_one(store, NOON + 30 * SECOND).await.row.account.as_deref(), Some("large"));
}

pub(super) async fn what_has_no_credits_left_waits(store: &dyn Store) {
    put(store, account("main", None)).await;
    let credits = |left: i64| [("web".to_owned(), left)].into();
    store.put_credits("main", credits(4), NOON).await.unwrap();
    let mut new = wanted("a house", &reader("ada"), NOON);
    new.asked.price_credits = Some(5);
    create(store, &new).await;
    assert_eq!(claim(store, NOON, 10).await, vec![]);
    let waiting = waiting_row(store).await;
    assert_eq!(waiting.deferred, Some(Deferral::OutOfCredits));
    // The provider says that there is more: it goes on at once.
    store.put_credits("main", credits(5), NOON + SECOND).await.unwrap();
    let read = now_of(store, "main", NOON + SECOND).await.account.credits.unwrap();
    assert_eq!((read.amounts, read.read_at), (credits(5), NOON + SECOND));
    let row = claim_one(store, NOON + SECOND).await.row;
    assert_eq!(row.account.as_deref(), Some("main"));
    // Nobody counts down: only the provider says what is left.
    go_on(store, &row, &[Event::IntentStored, Event::Accepted, SUCCEEDED], NOON + SECOND).await;
    let read = now_of(store, "main", NOON + SECOND).await.account.credits.unwrap();
    assert_eq!(read.amounts, credits(5));
}

pub(super) async fn a_day_has_only_so_many_submissions(store: &dyn Store) {
    put(store, Account { daily_limit: Some(2), ..account("main", None) }).await;
    create_some(store, 3).await;
    let held = claim(store, NOON, 10).await;
    assert_eq!(held.len(), 2, "those that are about to be sent count");
    let waiting = waiting_row(store).await;
    assert_eq!(waiting.deferred, Some(Deferral::DailyLimit));
    let midnight = waiting.next_run_at;
    assert_eq!(midnight % (24 * 60 * MINUTE), 0);
    // What the provider turned away does not count, what it took does.
    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored];
    go_on(store, &held[0].row, &events, NOON).await;
    assert_eq!(now_of(store, "main", NOON).await.today, 2);
    let refused = Event::Refused(ErrorCode::ParamInvalid);
    go_on(store, &held[1].row, &[Event::IntentStored, refused], NOON).await;
    assert_eq!(now_of(store, "main", NOON).await.today, 2);
    assert_eq!(claim(store, midnight - 1, 10).await, vec![]);
    assert_eq!(claim_one(store, midnight).await.row.account.as_deref(), Some("main"));
    assert_eq!(now_of(store, "main", midnight).await.today, 1);
}

pub(super) async fn what_waits_for_an_account_fails_after_a_day(store: &dyn Store) {
    put(store, Account { enabled: false, ..account("main", None) }).await;
    create_some(store, 1).await;
    let day = 24 * 60 * MINUTE;
    let mut now = NOON;
    let over = loop {
        let held = claim(store, now, 10).await;
        if let Some(over) = held.into_iter().next() {
            break over.row;
        }
        now = store.next_due().await.unwrap().unwrap();
        assert!(now < NOON + 2 * day, "for ever");
    };
    assert_eq!(over.state, State::Failed { run: 1, error: ErrorCode::ProviderUnavailable });
    assert!(now >= NOON + day);
    let told = kinds(store, &reader("ada"), &over.id).await;
    let expected = ["created", "deferred", "overdue", "failed"];
    assert_eq!(told, expected.map(|word| format!("generation.{word}")));
}

pub(super) async fn whoever_waited_long_has_all_the_time_of_a_run(store: &dyn Store) {
    put(store, Account { enabled: false, ..account("main", None) }).await;
    create_some(store, 1).await;
    assert_eq!(claim(store, NOON, 10).await, vec![]);
    let later = NOON + 60 * MINUTE;
    put(store, Account { updated_at: later, ..account("main", None) }).await;
    let row = claim_one(store, later).await.row;
    assert_eq!(row.deadline_at, None);
    let row = advance(store, &row, Event::IntentStored, later).await.row;
    assert_eq!(row.deadline_at, Some(later + 10 * MINUTE));
}

pub(super) async fn an_account_is_kept_and_changed_and_removed(store: &dyn Store) {
    let main = Account {
        tenant: Some("studio".to_owned()),
        endpoint: Some("https://gpu.example".to_owned()),
        key: KeySource::Env("MAKER_KEY".to_owned()),
        daily_limit: Some(100),
        ..account("main", Some(3))
    };
    put(store, main.clone()).await;
    assert_eq!(store.account("main").await.unwrap(), Some(main.clone()));
    assert_eq!(store.account("other").await.unwrap(), None);
    store.account_failed("main", ErrorCode::ProviderAuth, None, NOON).await.unwrap();
    store.put_credits("main", [("web".to_owned(), 7)].into(), NOON).await.unwrap();
    // An operator's change leaves what was learned of it.
    let changed = Account {
        concurrency: None,
        key: KeySource::Sealed("0011".to_owned()),
        created_at: NOON + MINUTE,
        updated_at: NOON + MINUTE,
        ..main.clone()
    };
    put(store, changed.clone()).await;
    let read = store.account("main").await.unwrap().unwrap();
    assert_eq!((read.health.streak, read.created_at), (1, NOON));
    assert_eq!((&read.key, read.concurrency), (&changed.key, None));
    assert_eq!(read.credits.unwrap().amounts["web"], 7);
    // An id stays at its provider: rows on their way ask there.
    let moved = Account { provider: "elsewhere".to_owned(), ..main };
    assert!(!store.put_account(moved).await.unwrap());
    assert!(store.heal_account("main", NOON).await.unwrap());
    let read = store.account("main").await.unwrap().unwrap();
    assert_eq!((read.health.streak, read.health.cooldown_until, read.credits), (0, None, None));
    assert!(!store.heal_account("other", NOON).await.unwrap());
    // What is used stays.
    create_some(store, 1).await;
    let row = claim_one(store, NOON).await.row;
    assert!(!store.remove_account("main", NOON).await.unwrap());
    let refused = Event::Refused(ErrorCode::ParamInvalid);
    go_on(store, &row, &[Event::IntentStored, refused], NOON).await;
    assert!(store.remove_account("main", NOON).await.unwrap());
    assert!(!store.remove_account("main", NOON).await.unwrap());
    assert_eq!(store.accounts(&AccountQuery::default(), NOON).await.unwrap(), vec![]);
}

pub(super) async fn a_provider_without_accounts_is_asked_without_one(store: &dyn Store) {
    put(store, Account { provider: "elsewhere".to_owned(), ..account("other", Some(0)) }).await;
    create_some(store, 5).await;
    for held in claim(store, NOON, 10).await {
        assert_eq!((stage(&held.row), held.row.account), (Some(Stage::Claimed), None));
    }
    assert_eq!(in_use(store, "other", NOON).await, 0);
}

pub(super) const CASES: [Case; 1] = [Case {
    name: "claims_at_once_never_take_more_slots_than_there_are",
    run: |store| Box::pin(claims_at_once_never_take_more_slots_than_there_are(store)),
}];

async fn claims_at_once_never_take_more_slots_than_there_are(store: Arc<dyn Store>) {
    put(&*store, account("main", Some(2))).await;
    put(&*store, account("more", Some(1))).await;
    create_some(&*store, 12).await;
    let mut now = NOON;
    let mut made = BTreeSet::new();
    while made.len() < 12 {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { claim(&*store, now, 2).await })
            })
            .collect();
        let mut held = Vec::new();
        for task in tasks {
            held.extend(task.await.unwrap());
        }
        assert!((1..=3).contains(&held.len()), "{} of 3", held.len());
        for (id, slots) in [("main", 2), ("more", 1)] {
            let using = held.iter().filter(|one| one.row.account.as_deref() == Some(id)).count();
            assert!(using <= slots, "{id}: {using} of {slots}");
            assert_eq!(in_use(&*store, id, now).await, i64::try_from(using).unwrap());
        }
        // They end at once, each in a task of its own.
        let tasks: Vec<_> = held
            .into_iter()
            .map(|one| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED, Event::Stored];
                    go_on(&*store, &one.row, &events, now).await.id
                })
            })
            .collect();
        for task in tasks {
            assert!(made.insert(task.await.unwrap()), "nothing is made twice");
        }
        now += SECOND;
    }
    for id in ["main", "more"] {
        assert_eq!(in_use(&*store, id, now).await, 0);
    }
}
