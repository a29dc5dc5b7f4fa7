//! Reading: lists, assets, keys.

use onepath_core::lifecycle::{ErrorCode, GenerationStatus};
use onepath_core::{GenerationType, Operation, Rating, Strategy};

use super::super::{Key, ListQuery, Reader, Role, Store, Viewer};
use super::fixture::{
    NOON, complete_all, create, get, reader, refuse_all, viewer, wanted, wanted_as,
};

async fn ids(store: &dyn Store, reader: &Reader, query: &ListQuery) -> Vec<String> {
    let page = store.list(reader, query).await.unwrap();
    page.generations.into_iter().map(|one| one.row.id).collect()
}

fn all() -> ListQuery {
    ListQuery { limit: 100, ..ListQuery::default() }
}

pub(super) async fn a_list_is_the_readers_own_newest_first(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let first = create(store, &wanted("first", &ada, NOON)).await.row.id;
    let third = create(store, &wanted("third", &ada, NOON + 2)).await.row.id;
    let second = create(store, &wanted("second", &ada, NOON + 1)).await.row.id;
    create(store, &wanted("another's", &ben, NOON + 3)).await;
    create(store, &wanted("first", &ben, NOON + 3)).await;
    complete_all(store, NOON + 3).await;
    assert_eq!(ids(store, &ada, &all()).await, [third, second, first.clone()]);
    assert_eq!(ids(store, &ben, &all()).await.len(), 1, "what one joined is its owner's");
    let page = store.list(&ada, &all()).await.unwrap();
    assert_eq!(page.next, None);
    assert_eq!(page.generations[2], get(store, &ada, &first).await, "with all that belongs to it");
    assert_eq!(ids(store, &reader("nobody"), &all()).await, Vec::<String>::new());
}

pub(super) async fn a_list_is_read_in_pages(store: &dyn Store) {
    let ada = reader("ada");
    let mut made = Vec::new();
    for index in 0..7_i64 {
        // Three of one moment: the place is told by more than the time.
        let new = wanted(&format!("picture {index}"), &ada, NOON + index / 3);
        made.push(create(store, &new).await.row.id);
    }
    made.reverse();
    for limit in 1..9 {
        let mut query = ListQuery { limit, ..ListQuery::default() };
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let page = store.list(&ada, &query).await.unwrap();
            assert!(page.generations.len() <= limit);
            seen.extend(page.generations.into_iter().map(|one| one.row.id));
            pages += 1;
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
            // What comes later does not move the pages.
            let newer = wanted(&format!("newer {limit} {pages}"), &ada, NOON + 100);
            let newer = create(store, &newer).await.row.id;
            assert!(!seen.contains(&newer));
        }
        seen.retain(|id| made.contains(id));
        assert_eq!(seen, made, "pages of {limit}");
    }
}

pub(super) async fn a_list_is_counted_on_request(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    for index in 0..5_i64 {
        create(store, &wanted(&format!("picture {index}"), &ada, NOON + index)).await;
    }
    create(store, &wanted("another's", &ben, NOON)).await;
    let counted = ListQuery { limit: 2, count: true, ..ListQuery::default() };
    let page = store.list(&ada, &counted).await.unwrap();
    assert_eq!((page.generations.len(), page.total), (2, Some(5)));
    let next = ListQuery { after: page.next, ..counted.clone() };
    let page = store.list(&ada, &next).await.unwrap();
    assert_eq!((page.generations.len(), page.total), (2, Some(5)), "whatever the page");
    let far = ListQuery { offset: 9, ..counted.clone() };
    let page = store.list(&ada, &far).await.unwrap();
    assert_eq!((page.generations.len(), page.total), (0, Some(5)));
    let late = ListQuery { created_after: Some(NOON + 3), ..counted };
    assert_eq!(store.list(&ada, &late).await.unwrap().total, Some(2), "of those that fit");
    assert_eq!(store.list(&ada, &all()).await.unwrap().total, None, "only on request");
}

pub(super) async fn a_list_is_filtered(store: &dyn Store) {
    let ada = reader("ada");
    let failed = create(store, &wanted("failed", &ada, NOON)).await.row.id;
    refuse_all(store, ErrorCode::ParamInvalid, NOON).await;
    let mut new = wanted("video", &ada, NOON + 1);
    new.asked.generation_type = GenerationType::TextToVideo;
    new.asked.operation = Operation::TextToVideo;
    new.asked.provider = "other".to_owned();
    let video = create(store, &new).await.row.id;
    complete_all(store, NOON + 1).await;
    let waits = create(store, &wanted("waits", &ada, NOON + 2)).await.row.id;
    let status = |status| ListQuery { status: Some(status), ..all() };
    assert_eq!(ids(store, &ada, &status(GenerationStatus::Failed)).await, [failed.as_str()]);
    assert_eq!(ids(store, &ada, &status(GenerationStatus::Completed)).await, [video.as_str()]);
    assert_eq!(ids(store, &ada, &status(GenerationStatus::Pending)).await, [waits.as_str()]);
    let operation = ListQuery { operation: Some(Operation::TextToImage), ..all() };
    assert_eq!(ids(store, &ada, &operation).await, [waits.as_str(), &failed]);
    let provider = ListQuery { provider: Some("other".to_owned()), ..all() };
    assert_eq!(ids(store, &ada, &provider).await, [video.as_str()]);
    let hash = wanted("waits", &ada, NOON).asked.request_hash;
    let listed = store.list(&ada, &all()).await.unwrap().generations;
    for one in &listed {
        let number = ListQuery { number: Some(one.row.number), ..all() };
        assert_eq!(ids(store, &ada, &number).await, std::slice::from_ref(&one.row.id));
    }
    let same = ListQuery { request_hash: Some(hash), ..all() };
    assert_eq!(ids(store, &ada, &same).await, [waits.as_str()]);
    let mut filed = wanted("filed", &ada, NOON + 3);
    filed.asked.workspace = Some("drafts".to_owned());
    let filed = create(store, &filed).await.row.id;
    let workspace = ListQuery { workspace: Some("drafts".to_owned()), ..all() };
    assert_eq!(ids(store, &ada, &workspace).await, [filed.as_str()]);
    let elsewhere = ListQuery { workspace: Some("another".to_owned()), ..all() };
    assert_eq!(ids(store, &ada, &elsewhere).await, Vec::<String>::new());
    let nothing = ListQuery { status: Some(GenerationStatus::Cancelled), ..provider };
    assert_eq!(ids(store, &ada, &nothing).await, Vec::<String>::new());
}

pub(super) async fn assets_are_read_by_whoever_may_read_the_row(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let shared = create(store, &wanted("shared", &ada, NOON)).await.row.id;
    let own = wanted_as(Strategy::PerPlayer, "own", &ada, NOON);
    let own = create(store, &own).await.row.id;
    complete_all(store, NOON).await;
    for (id, may_ben) in [(shared, true), (own, false)] {
        let asset = get(store, &ada, &id).await.assets.remove(0);
        assert_eq!(store.asset(&viewer(&ada), &asset.id).await.unwrap(), Some(asset.clone()));
        let read = store.asset(&viewer(&ben), &asset.id).await.unwrap();
        assert_eq!(read, Some(asset).filter(|_| may_ben));
        assert_eq!(store.get(&viewer(&ben), &id).await.unwrap().is_some(), may_ben);
    }
    assert_eq!(store.asset(&viewer(&ada), "nobody's").await.unwrap(), None);
}

pub(super) async fn what_is_shared_is_read_within_ones_bounds(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let mut new = wanted("shared", &ada, NOON);
    new.asked.rating.effective = Rating::MatureImplied;
    let id = create(store, &new).await.row.id;
    complete_all(store, NOON).await;
    let asset = get(store, &ada, &id).await.assets.remove(0).id;
    for (_, bound) in Rating::ALL {
        for (who, may) in [(&ada, true), (&ben, *bound >= Rating::MatureImplied)] {
            let viewer = Viewer { reader: who.clone(), bound: *bound };
            assert_eq!(store.get(&viewer, &id).await.unwrap().is_some(), may, "{viewer:?}");
            assert_eq!(store.asset(&viewer, &asset).await.unwrap().is_some(), may, "{viewer:?}");
            assert_eq!(store.events(&viewer, &id).await.unwrap().is_empty(), !may, "{viewer:?}");
        }
    }
    let told = store.events_after(0, 100).await.unwrap();
    let told: Vec<_> = told.iter().filter(|event| event.is_of(&id)).collect();
    assert!(
        !told.is_empty() && told.iter().all(|event| event.shared == Some(Rating::MatureImplied))
    );
    let own = wanted_as(Strategy::PerPlayer, "own", &ada, NOON);
    let id = create(store, &own).await.row.id;
    let events = store.events(&viewer(&ada), &id).await.unwrap();
    assert_eq!(events[0].shared, None, "nobody else is told");
}

pub(super) async fn a_key_is_found_by_its_hash(store: &dyn Store) {
    assert_eq!(store.keys().await.unwrap(), vec![]);
    let mut key = Key {
        hash: "ab".repeat(32),
        id: "key-1".to_owned(),
        name: "game".to_owned(),
        reader: reader("ada"),
        role: Role::User,
        created_at: NOON,
        revoked_at: None,
    };
    store.add_key(key.clone()).await.unwrap();
    assert_eq!(store.key(&key.hash).await.unwrap(), Some(key.clone()));
    assert_eq!(store.key(&"cd".repeat(32)).await.unwrap(), None);
    (key.role, key.reader.user) = (Role::Backend, "ben".to_owned());
    store.add_key(key.clone()).await.unwrap();
    assert_eq!(store.keys().await.unwrap().len(), 1, "the same hash is the same key");
    assert_eq!(store.key(&key.hash).await.unwrap(), Some(key.clone()));
    assert!(!store.revoke_key("key-2", NOON).await.unwrap());
    assert!(store.revoke_key("key-1", NOON + 1).await.unwrap());
    key.revoked_at = Some(NOON + 1);
    assert_eq!(store.key(&key.hash).await.unwrap(), Some(key));
}

pub(super) async fn an_empty_store_answers(store: &dyn Store) {
    let ada = reader("ada");
    store.ping().await.unwrap();
    assert_eq!(store.get(&viewer(&ada), "nobody's").await.unwrap(), None);
    assert_eq!(store.events(&viewer(&ada), "nobody's").await.unwrap(), vec![]);
    assert_eq!(ids(store, &ada, &all()).await, Vec::<String>::new());
    assert_eq!(super::fixture::claim(store, NOON, 10).await, vec![]);
    assert_eq!(store.next_due().await.unwrap(), None);
}
