//! What is remembered of runs that ended.

use onepath_core::Strategy;
use onepath_core::lifecycle::ErrorCode;

use super::super::{PlanNow, RunEnd, Store};
use super::fixture::{
    MINUTE, NOON, SECOND, complete_all, create, reader, refuse_all, wanted, wanted_as,
};
use crate::telemetry::{Histogram, summarize};

pub(super) async fn every_run_that_ended_is_counted_once(store: &dyn Store) {
    let ada = reader("ada");
    for what in ["one", "two", "three"] {
        create(store, &wanted_as(Strategy::Always, what, &ada, NOON)).await;
    }
    complete_all(store, NOON + SECOND).await;
    let refused = create(store, &wanted("four", &ada, NOON + MINUTE)).await.row;
    refuse_all(store, ErrorCode::ContentPromptRejected, NOON + MINUTE + SECOND).await;
    let dropped = create(store, &wanted("five", &ada, NOON + 2 * MINUTE)).await.row;
    store.cancel(&ada, &dropped.id, NOON + 3 * MINUTE).await.unwrap();
    // A second run of a row counts for itself.
    store.retry(&ada, &refused.id, PlanNow::default(), NOON + 4 * MINUTE).await.unwrap();
    complete_all(store, NOON + 5 * MINUTE).await;
    // Once more with another tenant, and one that is on its way.
    let other = super::super::Reader { tenant: "other".to_owned(), user: "ada".to_owned() };
    create(store, &wanted("six", &other, NOON)).await;
    complete_all(store, NOON + 6 * MINUTE).await;
    create(store, &wanted("seven", &ada, NOON)).await;

    let (counts, times) = store.ended_runs(Some("studio"), NOON).await.unwrap();
    let of = |end: RunEnd| counts.iter().filter(|line| line.end == end).map(|line| line.runs).sum();
    let ends: [u64; 4] = RunEnd::ALL.map(of);
    assert_eq!(ends, [4, 0, 1, 1], "{counts:?}");
    let failed = counts.iter().find(|line| line.end == RunEnd::Failed).unwrap();
    assert_eq!(failed.error, Some(ErrorCode::ContentPromptRejected));
    assert_eq!(counts.iter().map(|line| line.micros).sum::<i64>(), 4 * 1_500);
    let mut waits = Histogram::default();
    for line in times.iter().filter(|line| line.waits) {
        waits.add(line.bin, line.runs);
    }
    assert_eq!(waits.count(), 4, "first runs that came to an attempt: {times:?}");
    let median = waits.quantile(0.5).unwrap();
    assert!((median - 1_000.0).abs() <= 10.0, "{median}");
    let all = summarize(&counts, &times, |_, _, _| Some(()));
    assert_eq!(all[&()].success_rate, Some(0.8));

    let (everybody, _) = store.ended_runs(None, NOON).await.unwrap();
    assert_eq!(everybody.iter().map(|line| line.runs).sum::<u64>(), 7);
    let (late, _) = store.ended_runs(Some("studio"), NOON + 4 * MINUTE).await.unwrap();
    assert_eq!(late.iter().map(|line| line.runs).sum::<u64>(), 1);
    let waiting = vec![("local".to_owned(), "pending".to_owned(), 1)];
    assert_eq!(store.in_flight().await.unwrap(), waiting);

    assert_eq!(store.forget_runs(NOON + 4 * MINUTE).await.unwrap(), 5);
    let (kept, _) = store.ended_runs(None, 0).await.unwrap();
    assert_eq!(kept.iter().map(|line| line.runs).sum::<u64>(), 2);
}
