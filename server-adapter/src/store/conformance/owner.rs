//! What an owner wishes: change, delete, try again; and what happened, as the log is told.

use onepath_core::lifecycle::{ErrorCode, Event, GenerationStatus};

use super::super::{Answer, ListQuery, Outcome, Patch, PlanNow, Step, Store, Transition};
use super::fixture::{
    NOON, SUCCEEDED, advance, claim_one, complete_all, create, event, get, reader, refuse_all,
    viewer, wanted,
};

fn words(steps: &[Step]) -> Vec<(Transition, GenerationStatus)> {
    steps.iter().map(|step| (step.transition, step.status)).collect()
}

pub(super) async fn every_step_is_told_to_the_log(store: &dyn Store) {
    use GenerationStatus::{Completed, Pending, Processing};
    let (ada, ben) = (reader("ada"), reader("ben"));
    let id = create(store, &wanted("a house", &ada, NOON)).await.row.id;
    let claimed = claim_one(store, NOON).await;
    assert_eq!(words(&claimed.steps), [(Transition::Claimed, Processing)]);
    let again = claim_one(store, NOON + 60_000).await;
    let expected = [(Transition::Released, Pending), (Transition::Claimed, Processing)];
    assert_eq!(words(&again.steps), expected, "in order, each with its status");
    let mut row = again.row;
    for (happens, expected) in [
        (Event::IntentStored, Transition::Started),
        (Event::AnswerLost, Transition::SubmitUnknown),
        (Event::NotThere, Transition::Resubmitted),
        (Event::Accepted, Transition::Submitted),
        (SUCCEEDED, Transition::Settling),
    ] {
        let advanced = advance(store, &row, happens, NOON + 60_000).await;
        assert_eq!(words(&advanced.steps), [(expected, Processing)]);
        row = advanced.row;
    }
    let late = store.advance(&event(&row, Event::Accepted, NOON + 60_000)).await.unwrap().unwrap();
    assert_eq!(words(&late.steps), [], "what changes nothing is not told");
    create(store, &wanted("a house", &ben, NOON + 60_000)).await;
    let left = store.cancel(&ada, &id, NOON + 60_000).await.unwrap().unwrap();
    assert_eq!(words(&left.steps), [(Transition::Withdrawn, Processing)]);
    let done = advance(store, &row, Event::Stored, NOON + 60_000).await;
    assert_eq!(words(&done.steps), [(Transition::Completed, Completed)]);
}

pub(super) async fn a_patch_changes_what_it_names(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let before = create(store, &wanted("a house", &ada, NOON)).await.row;
    let patch =
        Patch { priority: Some(1), description: Some(Some("x".into())), ..Patch::default() };
    assert_eq!(store.patch(&ben, &before.id, &patch, NOON).await.unwrap(), Outcome::NotThere);
    let outcome = store.patch(&ada, &before.id, &patch, NOON + 1).await.unwrap();
    let after = get(store, &ada, &before.id).await;
    assert_eq!(outcome, Outcome::Done(Box::new(after.clone()), vec![]));
    let mut expected = before.clone();
    (expected.priority, expected.description) = (1, Some("x".to_owned()));
    expected.updated_at = NOON + 1;
    assert_eq!(after.row, expected);
    // Whoever knows it as it was may not overwrite what another wrote since.
    assert_ne!(before.tag(), after.row.tag());
    let mut named =
        Patch { name: Some(None), only_if: Some(vec![before.tag()]), ..Patch::default() };
    let refused = store.patch(&ada, &before.id, &named, NOON + 2).await.unwrap();
    assert_eq!(refused, Outcome::Changed);
    assert_eq!(get(store, &ada, &before.id).await, after);
    named.only_if = Some(vec!["other".to_owned(), after.row.tag()]);
    let done = store.patch(&ada, &before.id, &named, NOON + 2).await.unwrap();
    assert!(matches!(done, Outcome::Done(ref new, _) if new.row.name.is_none()), "{done:?}");
    named.only_if = Some(vec!["*".to_owned()]);
    assert!(matches!(
        store.patch(&ada, &before.id, &named, NOON).await.unwrap(),
        Outcome::Done(..)
    ));
    complete_all(store, NOON + 3).await;
    let late = store.patch(&ada, &before.id, &patch, NOON + 4).await.unwrap();
    assert!(matches!(late, Outcome::NotNow(_)), "{late:?}");
}

pub(super) async fn what_is_deleted_is_there_for_nobody(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let id = create(store, &wanted("a house", &ada, NOON)).await.row.id;
    assert!(matches!(store.delete(&ada, &id, NOON).await.unwrap(), Outcome::NotNow(_)));
    complete_all(store, NOON).await;
    let asset = get(store, &ada, &id).await.assets.remove(0).id;
    assert_eq!(store.delete(&ben, &id, NOON).await.unwrap(), Outcome::NotThere);
    let Outcome::Done(_, steps) = store.delete(&ada, &id, NOON + 1).await.unwrap() else {
        panic!("it is over")
    };
    assert_eq!(words(&steps), [(Transition::Deleted, GenerationStatus::Completed)]);
    assert_eq!(store.delete(&ada, &id, NOON + 1).await.unwrap(), Outcome::NotThere);
    for user in [&ada, &ben] {
        assert_eq!(store.get(&viewer(user), &id).await.unwrap(), None);
        assert_eq!(store.asset(&viewer(user), &asset).await.unwrap(), None);
    }
    let query = ListQuery { limit: 10, count: true, ..ListQuery::default() };
    let page = store.list(&ada, &query).await.unwrap();
    assert_eq!((page.generations, page.total), (vec![], Some(0)));
    let again = create(store, &wanted("a house", &ada, NOON + 2)).await;
    assert_eq!(again.answer, Answer::Created, "it is no answer any more");
}

pub(super) async fn a_retry_is_its_owners(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let id = create(store, &wanted("a house", &ada, NOON)).await.row.id;
    let plan = PlanNow::default();
    assert!(matches!(store.retry(&ada, &id, plan, NOON).await.unwrap(), Outcome::NotNow(_)));
    refuse_all(store, ErrorCode::ParamInvalid, NOON).await;
    assert_eq!(store.retry(&ben, &id, plan, NOON).await.unwrap(), Outcome::NotThere);
    let Outcome::Done(now, steps) = store.retry(&ada, &id, plan, NOON + 1).await.unwrap() else {
        panic!("it failed")
    };
    assert_eq!(words(&steps), [(Transition::Retried, GenerationStatus::Pending)]);
    assert_eq!((now.row.state.run(), now.row.next_run_at), (2, NOON + 1));
}
