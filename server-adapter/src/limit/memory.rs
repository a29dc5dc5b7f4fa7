//! Counting in this process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Limiter, Rate, Taken, gcra};
use crate::store::Millis;

/// Buckets after which those that are full again are dropped.
const MANY: usize = 10_000;

/// Buckets of this process: each server counts for itself.
#[derive(Debug, Default)]
pub struct MemoryLimiter {
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    /// When each is full again, in microseconds since 1970.
    full_at: HashMap<String, i64>,
    /// How many there were after they were last looked through.
    kept: usize,
}

impl Buckets {
    /// A bucket that is full is as good as none.
    fn drop_full(&mut self, now: Millis) {
        if self.full_at.len() >= MANY.max(self.kept * 2) {
            self.full_at.retain(|_, full_at| *full_at / 1000 >= now);
            self.kept = self.full_at.len();
        }
    }
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn take(&self, bucket: &str, rate: Rate, now: Millis) -> Taken {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = buckets.full_at.get_mut(bucket) {
            let (next, taken) = gcra(*full_at, now, rate);
            *full_at = next;
            return taken;
        }
        buckets.drop_full(now);
        let (full_at, taken) = gcra(0, now, rate);
        buckets.full_at.insert(bucket.to_owned(), full_at);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn buckets_are_apart_and_those_that_are_full_are_forgotten() {
        let limiter = MemoryLimiter::default();
        let rate = Rate::parse("1/60").unwrap();
        assert!(limiter.take("one", rate, 1_000_000).await.allowed);
        assert!(!limiter.take("one", rate, 1_000_000).await.allowed);
        assert!(limiter.take("two", rate, 1_000_000).await.allowed);
        let count = || limiter.buckets.lock().unwrap().full_at.len();
        for index in 0..MANY {
            limiter.take(&format!("of a minute ago {index}"), rate, 1_000_000).await;
        }
        assert!(count() > MANY, "what counts is kept");
        for index in 0..2 * MANY {
            limiter.take(&format!("of now {index}"), rate, 1_060_001).await;
        }
        assert!(count() <= 3 * MANY, "what does not count any more is gone: {}", count());
        assert!(!limiter.take("of now 0", rate, 1_060_001).await.allowed);
    }
}
