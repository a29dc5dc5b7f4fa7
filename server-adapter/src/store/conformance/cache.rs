//! What is kept as an answer, and how creates were answered.

use onepath_core::Strategy;

use super::super::{Answer, AnswerCount, Store};
use super::fixture::{MINUTE, NOON, SECOND, complete_all, create, reader, wanted, wanted_as};

pub(super) async fn what_is_invalidated_is_no_answer_any_more(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let (mine, theirs) = (wanted("mine", &ada, NOON), wanted("theirs", &ben, NOON));
    for new in [&mine, &theirs, &wanted_as(Strategy::Always, "always", &ada, NOON)] {
        create(store, new).await;
    }
    complete_all(store, NOON + SECOND).await;
    let later = NOON + MINUTE;
    let all = store.kept("studio", None, later, "", 10).await.unwrap();
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all.iter().all(|row| row.cache_key.is_some() && row.price_micros == Some(1_500)));
    let second = store.kept("studio", None, later, &all[0].id, 10).await.unwrap();
    assert_eq!(second, all[1..]);
    assert_eq!(store.kept("other", None, later, "", 10).await.unwrap(), []);
    let own = store.kept("studio", Some("ada"), later, "", 10).await.unwrap();
    assert_eq!(own.len(), 1);

    let ids: Vec<String> = all.iter().map(|row| row.id.clone()).collect();
    assert_eq!(store.invalidate("other", None, &ids, later).await.unwrap(), 0);
    assert_eq!(store.invalidate("studio", Some("ada"), &ids, later).await.unwrap(), 1);
    assert_eq!(store.invalidate("studio", Some("ada"), &ids, later).await.unwrap(), 0);
    // Neither its key nor its hash answers; what is another's still does.
    let mut again = mine.clone();
    again.now = later + SECOND;
    assert_eq!(create(store, &again).await.answer, Answer::Created);
    let mut again = theirs.clone();
    again.now = later + SECOND;
    assert_eq!(create(store, &again).await.answer, Answer::Cache);
}

pub(super) async fn answers_are_counted_by_the_minute(store: &dyn Store) {
    let line = |minute, answer, count| AnswerCount {
        minute,
        tenant: "studio".to_owned(),
        strategy: Strategy::Once,
        answer,
        count,
        saved_micros: count * 7,
    };
    store
        .add_answers(&[line(NOON, Answer::Cache, 2), line(NOON, Answer::Joined, 1)])
        .await
        .unwrap();
    store.add_answers(&[line(NOON, Answer::Cache, 3)]).await.unwrap();
    store.add_answers(&[line(NOON + MINUTE, Answer::Cache, 4)]).await.unwrap();
    let told = store.answers("studio", NOON).await.unwrap();
    assert_eq!(told, [line(NOON, Answer::Cache, 9), line(NOON, Answer::Joined, 1)]);
    let late = store.answers("studio", NOON + 1).await.unwrap();
    assert_eq!(late, [line(NOON + 1, Answer::Cache, 4)]);
    assert_eq!(store.answers("other", 0).await.unwrap(), []);
    assert_eq!(store.forget_answers(NOON + MINUTE).await.unwrap(), 2);
    assert_eq!(store.answers("studio", 0).await.unwrap(), [line(0, Answer::Cache, 4)]);
}
