//! Which attempt has which prediction.

use onepath_core::lifecycle::Event;

use super::super::Store;
use super::fixture::{NOON, advance, claim_one, create, event, reader, wanted};

pub(super) async fn a_prediction_belongs_to_one_attempt(store: &dyn Store) {
    create(store, &wanted("a house", &reader("ada"), NOON)).await;
    let row = claim_one(store, NOON + 1).await.row;
    let row = advance(store, &row, Event::IntentStored, NOON + 2).await.row;
    let all = ["p1".to_owned(), "p2".to_owned(), "p3".to_owned()];
    assert_eq!(store.unclaimed("local", &all).await.unwrap(), all);
    let mut accepted = event(&row, Event::Accepted, NOON + 3);
    accepted.prediction = Some("p2".to_owned());
    store.advance(&accepted).await.unwrap().unwrap();
    assert_eq!(store.unclaimed("local", &all).await.unwrap(), ["p1", "p3"]);
    assert_eq!(store.unclaimed("other", &all).await.unwrap(), all, "of another provider");
    assert_eq!(store.unclaimed("local", &[]).await.unwrap(), Vec::<String>::new());
}
