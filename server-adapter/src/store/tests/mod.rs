//! The stores of this crate against the suite, and against each other.

mod decide;
mod model;
mod postgres;
mod sqlite;
mod tls;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::conformance::cases;
use super::{MemoryStore, SqliteStore, Store};

/// A folder of a test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("onepath-store-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("store.sqlite")
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.file()).unwrap()
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs every case on a store of its own; tells all that fail, not only the first.
async fn run_suite<K>(empty: impl Fn() -> (K, Arc<dyn Store>)) {
    let mut failed = Vec::new();
    for case in cases() {
        let (keep, store) = empty();
        if tokio::spawn((case.run)(store)).await.is_err() {
            failed.push(case.name);
        }
        drop(keep);
    }
    assert_eq!(failed, Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_to_endpoints_are_the_same_everywhere() {
    let folder = Folder::new();
    let postgres = postgres::store(&postgres::schema());
    let stores: [&dyn Store; 3] = [&MemoryStore::new(), &folder.store(), &postgres];
    for store in stores {
        super::conformance::endpoints::try_it(store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_memory_passes_the_suite() {
    run_suite(|| ((), Arc::new(MemoryStore::new()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_sqlite_passes_the_suite() {
    run_suite(|| {
        let folder = Folder::new();
        let store = Arc::new(folder.store());
        (folder, store as Arc<dyn Store>)
    })
    .await;
}
