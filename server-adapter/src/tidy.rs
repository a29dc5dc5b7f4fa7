//! What nobody asks for any more is removed now and then.

use std::time::Duration;

use futures_util::StreamExt as _;

use crate::asset::{BlobError, Blobs};
use crate::clock::SharedClock;
use crate::store::{Millis, Store, StoreError};
use crate::telemetry::metrics;

/// How often recorded metrics are made small.
const UPKEEP: Duration = Duration::from_secs(5);

/// How many of those make one round through the store: an hour.
const ROUNDS: u64 = 720;

const HOUR: Millis = 3_600_000;

/// Answers to idempotency keys are promised for 24 hours.
const RECEIPTS: Millis = 48 * HOUR;

/// Telemetry looks back seven days; a month is kept, for those who look into the database.
const RUNS: Millis = 31 * 24 * HOUR;

/// Tidies until it is dropped.
pub(crate) async fn tidy(store: &dyn Store, blobs: &Blobs, clock: &SharedClock) {
    for round in 0_u64.. {
        if round.is_multiple_of(ROUNDS)
            && let Err(error) = once(store, clock.now()).await
        {
            tracing::warn!(%error, "nothing was tidied; the next hour tries again");
        }
        if round.is_multiple_of(ROUNDS)
            && let Err(error) = collect(store, blobs, clock.now() - GRACE).await
        {
            tracing::warn!(%error, "no blobs were collected; the next hour tries again");
        }
        tokio::time::sleep(UPKEEP).await;
        metrics::tidy();
    }
}

/// For how long bytes that nothing needs are kept: whoever puts bytes writes their row soon after.
const GRACE: Millis = 24 * HOUR;

/// Why blobs were not collected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blobs do not answer.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

/// Removes bytes that nothing needs since before a time: those whose row is let go of, and those
/// that never got one.
pub(crate) async fn collect(
    store: &dyn Store,
    blobs: &Blobs,
    before: Millis,
) -> Result<u64, CollectError> {
    const AT_ONCE: usize = 100;
    let mut removed = 0;
    loop {
        let places = store.collect_blobs(before, AT_ONCE).await?;
        for place in &places {
            blobs.delete(place).await?;
        }
        removed += places.len() as u64;
        if places.len() < AT_ONCE {
            break;
        }
    }
    let mut old = Vec::new();
    let mut listed = blobs.list();
    loop {
        let next = listed.next().await.transpose()?;
        let ended = next.is_none();
        old.extend(next.filter(|placed| placed.since < before).map(|placed| placed.place));
        if old.len() >= AT_ONCE || ended {
            for place in store.unknown_places(&old).await? {
                blobs.delete(&place).await?;
                removed += 1;
            }
            old.clear();
        }
        if ended {
            break;
        }
    }
    if removed > 0 {
        tracing::info!(removed, "blobs were collected");
    }
    Ok(removed)
}

async fn once(store: &dyn Store, now: Millis) -> Result<(), StoreError> {
    let receipts = store.forget_receipts(now - RECEIPTS).await?;
    let runs = store.forget_runs(now - RUNS).await?;
    let answers = store.forget_answers(now - RUNS).await?;
    if receipts + runs + answers > 0 {
        tracing::info!(receipts, runs, answers, "tidied");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;
    use crate::asset::{Content, Placed};
    use crate::clock::SystemClock;
    use crate::store::{Asset, AssetStore as _, Media, MemoryStore, PlanNow, Reader};

    #[tokio::test]
    async fn bytes_that_nothing_needs_are_removed_and_no_others() {
        let folder = std::env::temp_dir().join(format!("onepath-collect-{}", std::process::id()));
        let (blobs, store) = (Blobs::folder(&folder).unwrap(), MemoryStore::new());
        let ada = Reader { tenant: "studio".to_owned(), user: "ada".to_owned() };
        let now = crate::clock::Clock::now(&SystemClock);
        let mut places = Vec::new();
        for (what, id) in [("kept", "kept"), ("deleted", "deleted"), ("without a row", "")] {
            let blob = blobs.put(&Content::of(what.as_bytes()), &SystemClock).await.unwrap();
            places.push(blob.place.clone());
            if id.is_empty() {
                continue;
            }
            let media = Media {
                media_type: "image/png".to_owned(),
                width: 1,
                height: 1,
                duration_ms: None,
                bytes: blob.bytes,
                sha256: blob.sha256.clone(),
            };
            let asset = Asset::upload(&ada, id.to_owned(), media, now);
            store.keep_upload(asset, Some(blob), PlanNow::default()).await.unwrap();
        }
        assert!(store.delete_asset(&ada, "deleted", now).await.unwrap());
        assert_eq!(collect(&store, &blobs, now - HOUR).await.unwrap(), 0, "a time of grace");
        assert_eq!(collect(&store, &blobs, now + HOUR).await.unwrap(), 2);
        let left: Vec<Placed> = blobs.list().try_collect().await.unwrap();
        assert_eq!(left.iter().map(|placed| &placed.place).collect::<Vec<_>>(), [&places[0]]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
