//! Assets: uploads, what was made, what starts from what, and which bytes may go.

use onepath_core::Strategy;
use onepath_core::lifecycle::{ErrorCode, Event};

use super::super::{
    Asset, AssetCopy, AssetPatch, AssetQuery, AssetState, Blob, Input, Limits, NewGeneration,
    PlanNow, Reader, Store, Subject, SyncStatus, Uploaded,
};
use super::fixture::{
    MINUTE, NOON, SECOND, SUCCEEDED, advance, blob, claim_one, complete_all, create, event, fresh,
    get, go_on, kinds, media, reader, viewer, wanted, wanted_as,
};

/// A user uploads bytes that are made of these words.
async fn upload(store: &dyn Store, owner: &Reader, what: &str, now: i64) -> Asset {
    let asset = Asset::upload(owner, fresh("upload"), media(what), now);
    let blob = match store.blob(&media(what).sha256).await.unwrap() {
        Some(_) => None,
        None => Some(blob(what)),
    };
    match store.keep_upload(asset, blob, PlanNow::default()).await.unwrap() {
        Uploaded::New(asset) | Uploaded::Known(asset) => *asset,
        other => panic!("{other:?}"),
    }
}

/// What was told about an asset.
async fn told(store: &dyn Store, id: &str) -> Vec<(&'static str, SyncStatus)> {
    let all = store.events_after(0, 1000).await.unwrap();
    let of = all.into_iter().filter_map(|event| match event.subject {
        Subject::Asset { id: asset, sync, .. } if asset == id => {
            Some((event.number, (event.kind, sync)))
        }
        _ => None,
    });
    let of: Vec<_> = of.collect();
    let numbers: Vec<i64> = of.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..).take(of.len()).collect::<Vec<_>>(), "events have no gaps");
    of.into_iter().map(|(_, told)| told).collect()
}

async fn ids(store: &dyn Store, reader: &Reader, query: &AssetQuery) -> Vec<String> {
    let page = store.assets(reader, query).await.unwrap();
    page.assets.into_iter().map(|asset| asset.id).collect()
}

fn all() -> AssetQuery {
    AssetQuery { limit: 50, ..AssetQuery::default() }
}

pub(super) async fn the_same_bytes_are_one_blob_and_an_owner_has_them_once(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let first = upload(store, &ada, "portrait", NOON).await;
    let place = store.blob(&media("portrait").sha256).await.unwrap().unwrap().place;
    assert_eq!(upload(store, &ada, "portrait", NOON + 1).await.id, first.id, "the same asset");
    let other = upload(store, &ben, "portrait", NOON + 2).await;
    assert_ne!(other.id, first.id, "everybody has their own");
    let again = store.blob(&media("portrait").sha256).await.unwrap().unwrap();
    assert_eq!(again.place, place, "the bytes lie once");
    assert_eq!(store.asset(&viewer(&ada), &first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.asset(&viewer(&ben), &first.id).await.unwrap(), None, "an upload is private");
    let found = store.asset_with(&ada, &media("portrait").sha256).await.unwrap();
    assert_eq!(found.map(|asset| asset.id), Some(first.id.clone()));
    assert_eq!(told(store, &first.id).await, [("asset.created", SyncStatus::Downloaded)]);

    // Deleted, the same bytes are a new asset.
    assert!(store.delete_asset(&ada, &first.id, NOON + 3).await.unwrap());
    assert!(!store.delete_asset(&ada, &first.id, NOON + 3).await.unwrap());
    assert_ne!(upload(store, &ada, "portrait", NOON + 4).await.id, first.id);
    let deleted = told(store, &first.id).await;
    assert_eq!(deleted.last(), Some(&("asset.deleted", SyncStatus::Downloaded)));
}

pub(super) async fn a_blob_that_is_gone_is_not_counted_on(store: &dyn Store) {
    let ada = reader("ada");
    let asset = Asset::upload(&ada, fresh("upload"), media("portrait"), NOON);
    let outcome = store.keep_upload(asset, None, PlanNow::default()).await.unwrap();
    assert_eq!(outcome, Uploaded::BlobGone);
    assert_eq!(ids(store, &ada, &all()).await, Vec::<String>::new());
}

pub(super) async fn a_plan_limits_the_bytes_that_are_kept(store: &dyn Store) {
    let ada = reader("ada");
    let limits = Limits { storage_bytes: Some(20_000), ..Limits::default() };
    let plan = PlanNow { limits, since: 0 };
    let keep = async |what: &str| {
        let asset = Asset::upload(&ada, fresh("upload"), media(what), NOON);
        store.keep_upload(asset, Some(blob(what)), plan).await.unwrap()
    };
    let Uploaded::New(first) = keep("first").await else { panic!("there is room for one") };
    assert_eq!(store.used(&ada, 0).await.unwrap().storage, 12_345);
    assert!(matches!(keep("second").await, Uploaded::Limited(hit) if hit.used == 12_345));
    assert!(matches!(keep("first").await, Uploaded::Known(_)), "what is there needs no room");
    assert!(store.delete_asset(&ada, &first.id, NOON).await.unwrap());
    assert_eq!(store.used(&ada, 0).await.unwrap().storage, 0);
    assert!(matches!(keep("second").await, Uploaded::New(_)), "deleting makes room");
}

pub(super) async fn a_list_of_assets_is_filtered_and_read_in_pages(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let row = create(store, &wanted("made", &ada, NOON)).await.row;
    complete_all(store, NOON).await;
    let made = get(store, &ada, &row.id).await.assets.remove(0).id;
    let first = upload(store, &ada, "first", NOON + 1).await.id;
    let second = upload(store, &ada, "second", NOON + 2).await.id;
    upload(store, &ben, "second", NOON + 3).await;
    assert_eq!(ids(store, &ada, &all()).await, [second.as_str(), &first, &made]);

    let mut page = store.assets(&ada, &AssetQuery { limit: 2, ..all() }).await.unwrap();
    assert_eq!(page.assets.len(), 2);
    page = store.assets(&ada, &AssetQuery { after: page.next, ..all() }).await.unwrap();
    assert_eq!((page.assets[0].id.as_str(), page.next), (made.as_str(), None));

    let tags = |tags: &[&str]| Some(tags.iter().map(|tag| (*tag).to_owned()).collect());
    for (id, name, kept) in [
        (&first, "Mira at the Door", tags(&["npc:mira", "a \"quoted\" tag"])),
        (&second, "100% rain", tags(&["npc"])),
    ] {
        let name = Some(Some(name.to_owned()));
        let patch = AssetPatch { name, tags: kept, public: None };
        assert!(store.patch_asset(&ada, id, &patch, NOON + 5).await.unwrap().is_some());
        assert_eq!(store.patch_asset(&ben, id, &patch, NOON + 5).await.unwrap(), None);
    }
    let text = |text: &str| Some(text.to_owned());
    let nothing: &[&str] = &[];
    for (query, wanted) in [
        (AssetQuery { tag: text("npc:mira"), ..all() }, &[first.as_str()][..]),
        (AssetQuery { tag: text("npc"), ..all() }, &[&second]),
        (AssetQuery { tag: text("a \"quoted\" tag"), ..all() }, &[&first]),
        (AssetQuery { tag: text("quoted"), ..all() }, nothing),
        (AssetQuery { text: text("mira"), ..all() }, &[&first]),
        (AssetQuery { text: text("100%"), ..all() }, &[&second]),
        (AssetQuery { text: text("_"), ..all() }, nothing),
        (AssetQuery { provider: text("local"), ..all() }, &[&made]),
        (AssetQuery { kind: text("image"), ..all() }, &[&second, &first, &made]),
        (AssetQuery { kind: text("video"), ..all() }, nothing),
        (AssetQuery { media_type: text("image/png"), limit: 1, ..all() }, &[&second]),
        (AssetQuery { generation: Some(row.id.clone()), ..all() }, &[&made]),
        (AssetQuery { uploads: Some(true), ..all() }, &[&second, &first]),
        (AssetQuery { uploads: Some(false), ..all() }, &[&made]),
        (AssetQuery { sync: Some(SyncStatus::Error), ..all() }, nothing),
    ] {
        assert_eq!(ids(store, &ada, &query).await, wanted, "{query:?}");
    }
}

pub(super) async fn only_what_is_public_is_everybodys(store: &dyn Store) {
    let ada = reader("ada");
    let asset = upload(store, &ada, "portrait", NOON).await;
    assert_eq!(store.public_asset(&asset.id).await.unwrap(), None);
    let patch = AssetPatch { public: Some(true), ..AssetPatch::default() };
    let public = store.patch_asset(&ada, &asset.id, &patch, NOON + 1).await.unwrap().unwrap();
    assert_eq!(store.public_asset(&asset.id).await.unwrap(), Some(public));
    assert!(store.delete_asset(&ada, &asset.id, NOON + 2).await.unwrap());
    assert_eq!(store.public_asset(&asset.id).await.unwrap(), None);
}

pub(super) async fn what_is_fetched_is_seen_on_its_way(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("made", &ada, NOON)).await;
    let row = claim_one(store, NOON).await.row;
    let row = go_on(store, &row, &[Event::IntentStored, Event::Accepted, SUCCEEDED], NOON).await;
    let put = async |asset: &Asset, blobs: &[Blob], fence: i64| {
        let assets = vec![asset.clone()];
        store.put_outputs(&row.id, fence, assets, blobs.to_vec(), NOON + 1).await.unwrap()
    };
    let mut asset = Asset::output(&row, fresh("asset"), 0, NOON + 1);
    asset.location = Some("https://replicate.delivery/x.png".to_owned());
    asset.state = AssetState::Downloading;
    assert!(!put(&asset, &[], row.fence - 1).await, "an old fence changes nothing");
    assert!(put(&asset, &[], row.fence).await);
    let seen = store.outputs(&row.id).await.unwrap().remove(0);
    assert_eq!((&seen.state, &seen.location), (&asset.state, &asset.location));
    let patch = AssetPatch { name: Some(Some("mine".to_owned())), ..AssetPatch::default() };
    store.patch_asset(&ada, &seen.id, &patch, NOON + 1).await.unwrap().unwrap();

    let mut failed = seen.clone();
    (failed.state, failed.attempts) = (AssetState::Failed(ErrorCode::StorageFailed), 1);
    assert!(put(&failed, &[], row.fence).await);
    let mut here = store.asset(&viewer(&ada), &seen.id).await.unwrap().unwrap();
    assert_eq!((&here.state, here.attempts), (&failed.state, 1));
    here.state = AssetState::Downloaded(media("made"));
    assert!(put(&here, &[blob("made")], row.fence).await);
    let mut stored = event(&row, Event::Stored, NOON + 2);
    (stored.assets, stored.blobs) = (Vec::new(), Vec::new());
    let done = store.advance(&stored).await.unwrap().unwrap();
    assert!(done.row.is_complete());
    let kept = get(store, &ada, &row.id).await.assets;
    assert_eq!((kept.len(), kept[0].media()), (1, Some(&media("made"))));
    assert_eq!(kept[0].name.as_deref(), Some("mine"), "what people wrote stays");
    let told = told(store, &seen.id).await;
    let expected = [
        ("asset.created", SyncStatus::Downloading),
        ("asset.download_failed", SyncStatus::Error),
        ("asset.downloaded", SyncStatus::Downloaded),
    ];
    assert_eq!(told, expected);
    let kinds = kinds(store, &ada, &row.id).await;
    assert!(kinds.iter().all(|kind| kind.starts_with("generation.")), "{kinds:?}");
}

pub(super) async fn what_was_left_is_replaced_by_what_is_made_anew(store: &dyn Store) {
    let ada = reader("ada");
    create(store, &wanted("made", &ada, NOON)).await;
    let row = claim_one(store, NOON).await.row;
    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED];
    let row = go_on(store, &row, &events, NOON).await;
    let first = Asset::output(&row, fresh("asset"), 0, NOON);
    assert!(store.put_outputs(&row.id, row.fence, vec![first], vec![], NOON).await.unwrap());
    let row = advance(store, &row, Event::DeadlinePassed, NOON + MINUTE).await.row;
    let row = claim_one(store, row.next_run_at.max(NOON + MINUTE)).await.row;
    let row = go_on(store, &row, &events, NOON + 2 * MINUTE).await;
    let mut old = store.outputs(&row.id).await.unwrap().remove(0);
    old.deleted_at = Some(NOON + 2 * MINUTE);
    let new = Asset::output(&row, fresh("asset"), 0, NOON);
    let both = vec![new.clone(), old.clone()];
    assert!(store.put_outputs(&row.id, row.fence, both, vec![], NOON).await.unwrap());
    let left: Vec<String> =
        store.outputs(&row.id).await.unwrap().into_iter().map(|asset| asset.id).collect();
    assert_eq!(left, [new.id]);
    assert_eq!(store.asset(&viewer(&ada), &old.id).await.unwrap(), None);
}

pub(super) async fn a_later_try_brings_what_a_run_could_not(store: &dyn Store) {
    let ada = reader("ada");
    let mut new = wanted("made", &ada, NOON);
    new.policy.attempts = 1;
    create(store, &new).await;
    let row = claim_one(store, NOON).await.row;
    let events = [Event::IntentStored, Event::Accepted, SUCCEEDED];
    let row = go_on(store, &row, &events, NOON).await;
    let mut asset = Asset::output(&row, fresh("asset"), 0, NOON);
    asset.state = AssetState::Failed(ErrorCode::StorageFailed);
    assert!(store.put_outputs(&row.id, row.fence, vec![asset], vec![], NOON).await.unwrap());
    // Held by its worker, a row is not hurried; given back, it is.
    assert!(!store.hurry(&row.id, NOON).await.unwrap());
    let mut waits = event(&row, Event::StoreFailed, NOON);
    (waits.gives_back, waits.next_run_at) = (true, Some(NOON + MINUTE));
    let row = store.advance(&waits).await.unwrap().unwrap().row;
    assert!(store.hurry(&row.id, NOON + SECOND).await.unwrap());
    assert_eq!(store.next_due().await.unwrap(), Some(NOON + SECOND));
    let row = claim_one(store, NOON + SECOND).await.row;
    let row = advance(store, &row, Event::DeadlinePassed, NOON + MINUTE).await.row;
    assert_eq!(row.status().word(), "failed");
    assert!(!store.hurry(&row.id, NOON + MINUTE).await.unwrap(), "it is over");

    let mut asset = store.outputs(&row.id).await.unwrap().remove(0);
    asset.state = AssetState::Downloaded(media("made"));
    let put = store.put_sync(asset.clone(), Some(blob("made")), NOON + 2 * MINUTE).await.unwrap();
    assert!(put);
    let kept = store.asset(&viewer(&ada), &asset.id).await.unwrap().unwrap();
    assert_eq!(kept.media(), Some(&media("made")));
    let again = store.put_sync(asset, Some(blob("made")), NOON + 2 * MINUTE).await.unwrap();
    assert!(!again, "it is here already");
    assert_eq!(get(store, &ada, &row.id).await.row.status().word(), "failed", "its end stays");
}

/// A new generation that starts from an asset.
fn starting_from(asset: &Asset, what: &str, owner: &Reader, now: i64) -> NewGeneration {
    let mut new = wanted_as(Strategy::PerPlayer, what, owner, now);
    new.inputs = vec![Input { position: 0, role: "image".to_owned(), asset: asset.id.clone() }];
    new
}

pub(super) async fn lineage_goes_both_ways_as_far_as_one_may_see(store: &dyn Store) {
    let (ada, ben) = (reader("ada"), reader("ben"));
    let portrait = upload(store, &ada, "portrait", NOON).await;
    let row = create(store, &starting_from(&portrait, "moves", &ada, NOON + 1)).await.row;
    complete_all(store, NOON + 1).await;
    let made = get(store, &ada, &row.id).await.assets.remove(0);
    let inputs = store.inputs(&row.id).await.unwrap();
    assert_eq!((inputs.len(), &inputs[0].1), (1, &portrait));

    let down = store.lineage(&viewer(&ada), &portrait.id).await.unwrap().unwrap();
    assert_eq!((down.generation, down.parents), (None, vec![]));
    assert_eq!((down.children.len(), down.children[0].role.as_str()), (1, "image"));
    assert_eq!(down.children[0].row.id, row.id);
    assert_eq!(down.children[0].assets, std::slice::from_ref(&made));
    let up = store.lineage(&viewer(&ada), &made.id).await.unwrap().unwrap();
    assert_eq!(up.generation.map(|row| row.id), Some(row.id.clone()));
    assert_eq!(
        (up.parents[0].0.clone(), &up.parents[0].1),
        (inputs[0].0.clone(), &Some(portrait.clone()))
    );
    assert_eq!(store.lineage(&viewer(&ben), &made.id).await.unwrap(), None);

    // A deleted parent is named, and not shown.
    assert!(store.delete_asset(&ada, &portrait.id, NOON + 2).await.unwrap());
    let up = store.lineage(&viewer(&ada), &made.id).await.unwrap().unwrap();
    assert_eq!((up.parents[0].0.asset.as_str(), &up.parents[0].1), (portrait.id.as_str(), &None));
}

pub(super) async fn bytes_go_when_nothing_needs_them(store: &dyn Store) {
    let ada = reader("ada");
    let kept = upload(store, &ada, "kept", NOON).await;
    let lost = upload(store, &ada, "lost", NOON).await;
    let used = upload(store, &ada, "used", NOON).await;
    let row = create(store, &starting_from(&used, "moves", &ada, NOON)).await.row;
    complete_all(store, NOON).await;
    let place = store.blob(&media("lost").sha256).await.unwrap().unwrap().place;
    let collect = async |before: i64| store.collect_blobs(before, 100).await.unwrap();
    assert_eq!(collect(NOON + MINUTE).await, Vec::<String>::new(), "everything is needed");
    for asset in [&lost, &used] {
        assert!(store.delete_asset(&ada, &asset.id, NOON + 1).await.unwrap());
    }
    assert_eq!(collect(NOON).await, Vec::<String>::new(), "there is a time of grace");
    assert_eq!(collect(NOON + MINUTE).await, std::slice::from_ref(&place));
    assert_eq!(collect(NOON + MINUTE).await, Vec::<String>::new());
    assert_eq!(store.blob(&media("lost").sha256).await.unwrap(), None);
    let places = [place, store.blob(&media("kept").sha256).await.unwrap().unwrap().place];
    assert_eq!(store.unknown_places(&places).await.unwrap(), places[..1]);
    let inputs = store.inputs(&row.id).await.unwrap();
    assert_eq!(inputs[0].1.media(), Some(&media("used")), "what starts from it goes on");

    // The generation goes, and with it what was made for it and what it needed.
    store.delete(&ada, &row.id, NOON + MINUTE).await.unwrap();
    assert_eq!(store.outputs(&row.id).await.unwrap(), vec![]);
    assert_eq!(collect(NOON + 2 * MINUTE).await.len(), 2);
    assert_eq!(store.asset(&viewer(&ada), &kept.id).await.unwrap(), Some(kept));
    // The same bytes come back under a new place.
    let again = upload(store, &ada, "lost", NOON + 3 * MINUTE).await;
    assert_eq!(again.media(), Some(&media("lost")));
}

pub(super) async fn a_small_picture_is_kept_beside(store: &dyn Store) {
    let ada = reader("ada");
    let asset = upload(store, &ada, "portrait", NOON).await;
    let small = blob("small");
    let put = store.put_thumbnail(&asset.id, &small.sha256, Some(small.clone()), NOON).await;
    put.unwrap();
    let read = store.asset(&viewer(&ada), &asset.id).await.unwrap().unwrap();
    assert_eq!(read.thumbnail, Some(small.sha256.clone()));
    assert_eq!(store.collect_blobs(NOON + MINUTE, 100).await.unwrap(), Vec::<String>::new());
    assert!(store.delete_asset(&ada, &asset.id, NOON).await.unwrap());
    assert_eq!(store.collect_blobs(NOON + MINUTE, 100).await.unwrap().len(), 2);
}

pub(super) async fn a_copy_at_a_provider_is_remembered_while_it_lives(store: &dyn Store) {
    let ada = reader("ada");
    let asset = upload(store, &ada, "portrait", NOON).await;
    let copy = |account: &str, reference: &str, expires_at| AssetCopy {
        asset: asset.id.clone(),
        provider: "pixverse".to_owned(),
        account: account.to_owned(),
        reference: reference.to_owned(),
        expires_at,
    };
    for copy in [copy("", "77", None), copy("one", "78", Some(NOON + MINUTE))] {
        store.put_copy(copy, NOON).await.unwrap();
    }
    let find = async |account: &str, now| {
        let found = store.copy(&asset.id, "pixverse", account, now).await.unwrap();
        found.map(|copy| copy.reference)
    };
    assert_eq!(find("", NOON).await.as_deref(), Some("77"));
    assert_eq!(find("one", NOON).await.as_deref(), Some("78"));
    assert_eq!(find("one", NOON + MINUTE).await, None);
    assert_eq!(find("two", NOON).await, None);
    assert_eq!(store.copy(&asset.id, "replicate", "", NOON).await.unwrap(), None);
    store.put_copy(copy("one", "79", None), NOON + MINUTE).await.unwrap();
    assert_eq!(find("one", NOON + MINUTE).await.as_deref(), Some("79"));
}
