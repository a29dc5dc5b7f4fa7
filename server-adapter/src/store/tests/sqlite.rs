//! What only the store on SQLite can show: its file.

use rusqlite::Connection;

use super::super::conformance::{NOON, done, reader, viewer, wanted};
use super::super::{Answer, Created, Creation, NewGeneration, Store as _, StoreError};
use super::{Folder, SqliteStore};

async fn create(store: &SqliteStore, new: NewGeneration) -> Created {
    done(store.create(Creation::of(new)).await.unwrap())
}

/// I13, whoever writes: the database itself refuses.
#[tokio::test]
async fn sql_does_not_change_what_was_asked() {
    let folder = Folder::new();
    let store = folder.store();
    let row = create(&store, wanted("a house", &reader("ada"), NOON)).await.row;
    let connection = Connection::open(folder.file()).unwrap();
    for column in [
        "id",
        "number",
        "tenant",
        "request",
        "generation_type",
        "operation",
        "provider",
        "strategy",
        "request_hash",
        "family_hash",
        "cache_key",
        "seed",
        "rating_asked",
        "rating_effective",
        "rating_bound_by",
        "ttl_seconds",
        "force_new",
        "price_micros",
        "price_credits",
        "reserved_micros",
        "world_id",
        "workspace_id",
        "public",
        "trace_id",
        "others",
        "policy_attempts",
        "policy_fallback",
        "policy_unknown",
        "created_at",
    ] {
        let changed = connection.execute(&format!("UPDATE generations SET {column} = 99"), []);
        let refused = changed.unwrap_err().to_string();
        assert!(refused.contains("what was asked never changes"), "{column}: {refused}");
    }
    assert_eq!(connection.execute("UPDATE generations SET priority = 1", []).unwrap(), 1);
    let read = store.get(&viewer(&reader("ada")), &row.id).await.unwrap().unwrap();
    assert_eq!(read.row.asked, row.asked);
}

#[tokio::test]
async fn what_is_answered_is_there_when_the_file_is_opened_again() {
    let folder = Folder::new();
    let ada = reader("ada");
    let store = folder.store();
    let row = create(&store, wanted("a house", &ada, NOON)).await.row;
    // A second opening beside the first, as a command does while the server runs.
    let beside = folder.store();
    let joined = create(&beside, wanted("a house", &ada, NOON)).await;
    assert_eq!((joined.answer, &joined.row.id), (Answer::Joined, &row.id));
    drop((store, beside));
    let again = folder.store().get(&viewer(&ada), &row.id).await.unwrap().unwrap();
    assert_eq!(again.row, row);
}

#[test]
fn a_file_of_a_newer_program_and_one_that_is_no_database_are_refused() {
    let folder = Folder::new();
    drop(folder.store());
    let connection = Connection::open(folder.file()).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    drop(connection);
    match SqliteStore::open(&folder.file()).unwrap_err() {
        StoreError::Corrupt(why) => assert!(why.contains("use a newer program"), "{why}"),
        other => panic!("{other}"),
    }
    let other = folder.as_ref().join("other.sqlite");
    std::fs::write(&other, "this is no database, and it is longer than a header".repeat(99))
        .unwrap();
    assert!(matches!(SqliteStore::open(&other), Err(StoreError::Corrupt(_))));
    assert!(SqliteStore::open(&folder.as_ref().join("no/such/folder")).is_err());
}

/// One that fails leaves the others of its group as they are, and itself no trace.
#[tokio::test]
async fn a_create_that_fails_leaves_nothing_behind() {
    let folder = Folder::new();
    let store = folder.store();
    let ada = reader("ada");
    let first = wanted("a house", &ada, NOON);
    let mut twice = wanted("a ship", &ada, NOON);
    twice.id.clone_from(&first.id);
    let third = wanted("a tree", &ada, NOON);
    let (first, twice, third) = tokio::join!(
        store.create(Creation::of(first)),
        store.create(Creation::of(twice)),
        store.create(Creation::of(third))
    );
    assert_eq!(done(first.unwrap()).row.number, 1);
    assert!(matches!(twice, Err(StoreError::Unavailable(_))));
    assert_eq!(done(third.unwrap()).row.number, 2, "not even a number is lost");
}
