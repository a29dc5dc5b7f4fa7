//! Cancels: interests end one by one, the work with the last.

use onepath_core::Strategy;
use onepath_core::lifecycle::{Effect, Event, ProviderReport, State};

use super::super::{Answer, Store};
use super::fixture::{
    MINUTE, NOON, SUCCEEDED, claim, claim_one, complete_all, create, get, go_on, kinds, reader,
    wanted, wanted_as,
};

pub(super) async fn the_last_interest_ends_a_waiting_row(store: &dyn Store) {
    let ada = reader("ada");
    let row = create(store, &wanted("a house", &ada, NOON)).await.row;
    let cancelled = store.cancel(&ada, &row.id, NOON + 1).await.unwrap().unwrap();
    assert!(cancelled.withdrawn);
    assert_eq!(cancelled.generation.row.state, State::Cancelled { run: 1 });
    assert_eq!(cancelled.generation, get(store, &ada, &row.id).await);
    assert_eq!(cancelled.generation.row.completed_at, Some(NOON + 1));
    assert_eq!(kinds(store, &ada, &row.id).await, ["generation.created", "generation.cancelled"]);
    assert_eq!(claim(store, NOON + MINUTE, 10).await, vec![]);
}

pub(super) async fn others_go_on_and_ownership_moves_to_the_oldest(store: &dyn Store) {
    let [ada, ben, cora] = ["ada", "ben", "cora"].map(reader);
    let row = create(store, &wanted("a house", &ada, NOON)).await.row;
    // Cora comes before Ben: age counts, not the alphabet.
    for (who, now) in [(&cora, NOON + 1), (&ben, NOON + 2), (&cora, NOON + 3)] {
        assert_eq!(create(store, &wanted("a house", who, now)).await.answer, Answer::Joined);
    }
    let owner = async |who| {
        let cancelled = store.cancel(who, &row.id, NOON + MINUTE).await.unwrap().unwrap();
        assert!(cancelled.withdrawn);
        cancelled.generation.row
    };
    let after = owner(&ada).await;
    assert_eq!((after.owner.as_str(), after.state), ("cora", State::NEW));
    assert_eq!(store.cancel(&ada, &row.id, NOON + MINUTE).await.unwrap(), None, "gone already");
    let after = owner(&ben).await;
    assert_eq!((after.owner.as_str(), after.state), ("cora", State::NEW), "a joiner only goes");
    // Who comes back is the youngest.
    assert_eq!(create(store, &wanted("a house", &ada, NOON + MINUTE)).await.answer, Answer::Joined);
    assert_eq!(owner(&cora).await.owner, "ada");
    let after = owner(&ada).await;
    assert_eq!((after.owner.as_str(), after.state), ("ada", State::Cancelled { run: 1 }));
}

pub(super) async fn a_running_row_is_cancelled_at_its_provider(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("a house", &ada, NOON)).await;
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, Event::Accepted], NOON).await;
    let mut wait = super::fixture::event(&row, Event::Reported(ProviderReport::Running), NOON);
    (wait.gives_back, wait.next_run_at) = (true, Some(NOON + 60 * MINUTE));
    store.advance(&wait).await.unwrap().unwrap();

    let cancelled = store.cancel(&ada, &row.id, NOON + 1).await.unwrap().unwrap();
    assert!(cancelled.withdrawn && cancelled.generation.row.is_unwanted());
    let again = store.cancel(&ada, &row.id, NOON + 2).await.unwrap().unwrap();
    assert!(!again.withdrawn, "wished for already");
    let claimed = claim_one(store, NOON + 2).await;
    assert_eq!(claimed.effects, [Effect::CancelAtProvider, Effect::Poll]);
    let stopped = Event::Reported(ProviderReport::Cancelled { charged: false });
    let ended = go_on(store, &claimed.row, &[stopped], NOON + 3).await;
    assert_eq!((ended.state, ended.reuse_key), (State::Cancelled { run: 1 }, None));
    assert_eq!(kinds(store, &ada, &row.id).await.last(), Some(&"generation.cancelled"));
}

pub(super) async fn what_was_made_wins_over_a_cancel(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("a house", &ada, NOON)).await;
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, Event::Accepted], NOON).await;
    store.cancel(&ada, &row.id, NOON).await.unwrap().unwrap();
    let row = go_on(store, &row, &[SUCCEEDED, Event::Stored], NOON).await;
    assert!(row.is_complete(), "it is made and paid for");
    let hit = create(store, &wanted("a house", &ada, NOON + 1)).await;
    assert_eq!((hit.answer, hit.row.id), (Answer::Cache, row.id), "and it answers");
}

pub(super) async fn who_has_no_interest_cancels_nothing(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let row = create(store, &wanted("a house", &ada, NOON)).await.row;
    assert_eq!(store.cancel(&ben, &row.id, NOON).await.unwrap(), None, "who may read only reads");
    let own = create(store, &wanted_as(Strategy::PerPlayer, "own", &ada, NOON)).await.row;
    assert_eq!(store.cancel(&ben, &own.id, NOON).await.unwrap(), None);
    assert_eq!(store.cancel(&ada, "nobody's", NOON).await.unwrap(), None);
    assert_eq!(complete_all(store, NOON).await.len(), 2);
    let over = store.cancel(&ada, &row.id, NOON).await.unwrap().unwrap();
    assert!(!over.withdrawn && over.generation.row.is_complete());
}
