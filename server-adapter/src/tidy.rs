//! What nobody asks for any more is removed now and then.

use std::time::Duration;

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
pub(crate) async fn tidy(store: &dyn Store, clock: &SharedClock) {
    for round in 0_u64.. {
        if round.is_multiple_of(ROUNDS)
            && let Err(error) = once(store, clock.now()).await
        {
            tracing::warn!(%error, "nothing was tidied; the next hour tries again");
        }
        tokio::time::sleep(UPKEEP).await;
        metrics::tidy();
    }
}

async fn once(store: &dyn Store, now: Millis) -> Result<(), StoreError> {
    let receipts = store.forget_receipts(now - RECEIPTS).await?;
    let runs = store.forget_runs(now - RUNS).await?;
    if receipts + runs > 0 {
        tracing::info!(receipts, runs, "tidied");
    }
    Ok(())
}
