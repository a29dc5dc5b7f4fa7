//! Who still calls the old API.

use super::super::Store;
use super::super::legacy::OldCalls;
use super::fixture::{MINUTE, NOON, SECOND};

pub(super) async fn old_calls_are_counted_by_key_and_route(store: &dyn Store) {
    assert_eq!(store.old_calls().await.unwrap(), []);
    let (list, make) = ("GET /api/v1/jobs", "POST /api/v1/jobs");
    // A server whose clock is behind tells of an earlier time later.
    for (key, route, at) in [
        ("k2", list, NOON),
        ("k1", make, NOON + MINUTE),
        ("k2", list, NOON + MINUTE),
        ("k2", list, NOON - SECOND),
        ("k2", make, NOON + SECOND),
    ] {
        store.count_old_call(key, route, at).await.unwrap();
    }
    let line = |key: &str, route: &str, calls, first_at, last_at| OldCalls {
        key: key.to_owned(),
        route: route.to_owned(),
        calls,
        first_at,
        last_at,
    };
    let all = [
        line("k1", make, 1, NOON + MINUTE, NOON + MINUTE),
        line("k2", list, 3, NOON - SECOND, NOON + MINUTE),
        line("k2", make, 1, NOON + SECOND, NOON + SECOND),
    ];
    assert_eq!(store.old_calls().await.unwrap(), all);
}
