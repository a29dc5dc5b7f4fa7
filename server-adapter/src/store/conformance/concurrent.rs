//! Cases of many callers at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{Answer, Claim, Created, Creation, NewGeneration, Store};
use super::Case;
use super::fixture::{NOON, SECOND, TTL, claim, complete_all, create, done, fresh, reader, wanted};

pub(super) const CASES: [Case; 3] = [
    Case {
        name: "creates_at_once_give_one_row",
        run: |store| Box::pin(creates_at_once_give_one_row(store)),
    },
    Case {
        name: "creates_at_the_moment_of_expiry_give_one_row",
        run: |store| Box::pin(creates_at_the_moment_of_expiry_give_one_row(store)),
    },
    Case {
        name: "claims_at_once_give_one_holder",
        run: |store| Box::pin(claims_at_once_give_one_holder(store)),
    },
];

/// Creates the same so many times at once, for two users.
async fn at_once(store: &Arc<dyn Store>, count: usize, new: &NewGeneration) -> Vec<Created> {
    let tasks: Vec<_> = (0..count)
        .map(|index| {
            let store = Arc::clone(store);
            let mut new = NewGeneration { id: fresh("generation"), ..new.clone() };
            new.owner = reader(if index % 2 == 0 { "ada" } else { "ben" });
            tokio::spawn(async move { done(store.create(Creation::of(new)).await.unwrap()) })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

fn assert_one_row(all: &[Created]) {
    let ids: BTreeSet<&str> = all.iter().map(|created| created.row.id.as_str()).collect();
    assert_eq!(ids.len(), 1);
    let count = |answer| all.iter().filter(|created| created.answer == answer).count();
    assert_eq!((count(Answer::Created), count(Answer::Joined)), (1, all.len() - 1));
}

async fn creates_at_once_give_one_row(store: Arc<dyn Store>) {
    let all = at_once(&store, 64, &wanted("a house", &reader("ada"), NOON)).await;
    assert_one_row(&all);
    assert_eq!(claim(&*store, NOON, 100).await.len(), 1);
}

async fn creates_at_the_moment_of_expiry_give_one_row(store: Arc<dyn Store>) {
    let new = wanted("a house", &reader("ada"), NOON);
    let old = create(&*store, &new).await.row;
    complete_all(&*store, NOON).await;
    let end = NOON + i64::from(TTL) * SECOND;
    let all = at_once(&store, 16, &NewGeneration { now: end, ..new }).await;
    assert_one_row(&all);
    assert_ne!(all[0].row.id, old.id);
}

async fn claims_at_once_give_one_holder(store: Arc<dyn Store>) {
    for what in ["a house", "a ship"] {
        create(&*store, &wanted(what, &reader("ada"), NOON)).await;
    }
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            let claim = Claim { now: NOON, lease_until: NOON + SECOND, limit: 1 };
            tokio::spawn(async move { store.claim(&claim).await.unwrap() })
        })
        .collect();
    let mut held = BTreeSet::new();
    for task in tasks {
        for claimed in task.await.unwrap() {
            assert_eq!(claimed.row.fence, 1);
            assert!(held.insert(claimed.row.id), "one holder a row");
        }
    }
    assert_eq!(held.len(), 2, "and nobody goes away while there is work");
}
