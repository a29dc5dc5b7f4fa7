//! Endpoints of tenants, and the messages to them.

use super::super::Store;
use super::super::endpoints::{Endpoint, Message};
use super::fixture::{MINUTE, NOON, SECOND, fresh};

fn endpoint(id: &str, tenant: &str) -> Endpoint {
    Endpoint {
        id: id.to_owned(),
        tenant: tenant.to_owned(),
        url: "https://hooks.example.com/".to_owned(),
        secret: "sealed".to_owned(),
        old_secret: Some(("old".to_owned(), NOON)),
        events: Some(r#"["generation.completed"]"#.to_owned()),
        from_cursor: 7,
        failing_since: None,
        disabled: None,
        created_at: NOON,
    }
}

fn message(endpoint: &str, message: &str) -> Message {
    Message {
        id: fresh("row"),
        endpoint: endpoint.to_owned(),
        message: message.to_owned(),
        kind: "generation.completed".to_owned(),
        payload: "{}".to_owned(),
        attempts: 0,
        due_at: Some(NOON),
        leased: false,
        fence: 0,
        delivered: false,
        last_status: None,
        last_error: None,
        created_at: NOON,
        sent_at: None,
    }
}

pub(super) async fn messages_are_leased_by_one_and_fair_to_all(store: &dyn Store) {
    let (one, two) = (endpoint("one", "studio"), endpoint("two", "other"));
    store.put_endpoint(one.clone()).await.unwrap();
    store.put_endpoint(two.clone()).await.unwrap();
    assert_eq!(store.endpoints(Some("studio")).await.unwrap(), std::slice::from_ref(&one));
    let mut all: Vec<Message> = (0..5).map(|index| message("one", &format!("m{index}"))).collect();
    all.push(message("two", "m0"));
    assert_eq!(store.told_until().await.unwrap(), 0);
    store.add_messages(all.clone(), 9).await.unwrap();
    // The same event to the same endpoint is one message, and the place never goes back.
    store.add_messages(vec![message("one", "m0")], 3).await.unwrap();
    assert_eq!(store.told_until().await.unwrap(), 9);
    assert_eq!(store.messages("one", None, 10).await.unwrap().len(), 5);
    let lease = NOON + MINUTE;
    let first = store.claim_messages(NOON, lease, 10, 2).await.unwrap();
    let of = |id: &str| first.iter().filter(|one| one.endpoint == id).count();
    assert_eq!((of("one"), of("two")), (2, 1));
    assert_eq!(store.claim_messages(NOON, lease, 10, 2).await.unwrap(), []);
    let mut done = first[0].clone();
    (done.attempts, done.due_at, done.delivered, done.sent_at) = (1, None, true, Some(NOON));
    assert!(store.end_message(done.clone()).await.unwrap());
    assert!(!store.end_message(done.clone()).await.unwrap(), "once");
    // A lease that ran out is another's, and the old fence changes nothing.
    let again = store.claim_messages(lease + SECOND, lease + MINUTE, 10, 9).await.unwrap();
    assert!(again.iter().any(|one| one.id == first[1].id && one.fence == 2));
    assert!(!store.end_message(first[1].clone()).await.unwrap());
    assert_eq!(again.len(), 5);
    assert!(store.replay_message(&done.endpoint, &done.id, NOON).await.unwrap());
    assert!(!store.replay_message("nobody", &done.id, NOON).await.unwrap());
    let off = Some((NOON, "it is gone".to_owned()));
    store.mark_endpoint("one", Some(NOON), off.clone()).await.unwrap();
    store.mark_endpoint("two", Some(NOON), off.clone()).await.unwrap();
    assert_eq!(store.claim_messages(NOON + 9 * MINUTE, lease, 10, 9).await.unwrap(), []);
    let marked = store.endpoints(Some("studio")).await.unwrap().remove(0);
    assert_eq!(marked, Endpoint { failing_since: Some(NOON), disabled: off, ..one });
    assert_eq!(store.forget_messages(NOON + MINUTE).await.unwrap(), 0);
    assert!(!store.remove_endpoint("studio", "two").await.unwrap());
    assert!(store.remove_endpoint("studio", "one").await.unwrap());
    assert_eq!(store.messages("one", None, 10).await.unwrap(), []);
}

/// The one case by itself.
#[cfg(test)]
pub(in super::super) async fn try_it(store: &dyn Store) {
    messages_are_leased_by_one_and_fair_to_all(store).await;
}
