//! Rates: how many calls a key may make in a time. A hint with a port of its own; nothing is lost
//! when what is counted is forgotten.

mod memory;

use std::time::Duration;

use async_trait::async_trait;

use crate::store::Millis;

pub use memory::MemoryLimiter;

/// So many calls in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    quota: u32,
    window: Duration,
}

impl Rate {
    /// `quota` calls in each `window`; both are more than nothing.
    #[must_use]
    pub fn new(quota: u32, window: Duration) -> Option<Self> {
        let steps = window.as_micros().checked_div(u128::from(quota))?;
        let fits = i64::try_from(window.as_micros()).is_ok();
        (steps > 0 && fits).then_some(Self { quota, window })
    }

    /// Calls in a window.
    #[must_use]
    pub const fn quota(self) -> u32 {
        self.quota
    }

    /// The time in which they count.
    #[must_use]
    pub const fn window(self) -> Duration {
        self.window
    }

    /// `120/60`: so many calls in so many seconds.
    ///
    /// # Errors
    ///
    /// What is wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(quota, seconds)| {
            let window = Duration::from_secs(seconds.trim().parse().ok()?);
            Self::new(quota.trim().parse().ok()?, window)
        });
        parts.ok_or_else(|| format!("`{text}` is no rate: CALLS/SECONDS, such as 120/60"))
    }
}

/// What asking for one call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether it may be made.
    pub allowed: bool,
    /// Calls that may be made at once after it.
    pub remaining: u32,
    /// Milliseconds until everything may be used again.
    pub full_in: Millis,
    /// Milliseconds until one more call is allowed; 0 if it is now.
    pub next_in: Millis,
}

/// Counts calls.
#[async_trait]
pub trait Limiter: std::fmt::Debug + Send + Sync + 'static {
    /// Takes one call out of a bucket. Whoever cannot ask where it is counted for all allows it by
    /// what it counts itself: a limit is never a reason to fail.
    async fn take(&self, bucket: &str, rate: Rate, now: Millis) -> Taken;
}

/// The generic cell rate algorithm, pure: `full_at` is when the bucket would be full again
/// (microseconds since 1970), and the new one is given back with what it came to.
#[must_use]
pub fn gcra(full_at: i64, now: Millis, rate: Rate) -> (i64, Taken) {
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    let (window, now) = (micros(rate.window), now.saturating_mul(1000));
    let step = window / i64::from(rate.quota);
    let full_at = full_at.max(now);
    let after = full_at.saturating_add(step);
    let allowed = after.saturating_sub(now) <= window;
    let full_at = if allowed { after } else { full_at };
    let owed = full_at.saturating_sub(now);
    let left = window.saturating_sub(owed);
    let taken = Taken {
        allowed,
        remaining: u32::try_from(left / step).unwrap_or(0),
        full_in: up_to_millis(owed),
        next_in: up_to_millis(step.saturating_sub(left).max(0)),
    };
    (full_at, taken)
}

/// Whole milliseconds that are long enough.
fn up_to_millis(micros: i64) -> Millis {
    micros.saturating_add(999) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_at_once_and_fills_evenly() {
        let rate = Rate::parse("4/2").unwrap();
        let mut full_at = 0;
        let mut take = |now: Millis| {
            let (next, taken) = gcra(full_at, now, rate);
            full_at = next;
            taken
        };
        let start = 1_000_000;
        let remaining: Vec<u32> = (0..4).map(|_| take(start).remaining).collect();
        assert_eq!(remaining, [3, 2, 1, 0]);
        let refused = take(start);
        let expected = Taken { allowed: false, remaining: 0, full_in: 2000, next_in: 500 };
        assert_eq!(refused, expected, "and a refused call costs nothing");
        assert!(!take(start + 499).allowed);
        assert!(take(start + 500).allowed);
        assert!(!take(start + 500).allowed);
        assert!(take(start + 1000).allowed);
        let later = take(start + 60_000);
        assert_eq!((later.allowed, later.remaining, later.full_in), (true, 3, 500));
    }

    #[test]
    fn in_any_window_at_most_twice_the_quota_passes() {
        let rate = Rate::parse("7/3").unwrap();
        let (mut full_at, mut passed) = (0, Vec::new());
        for now in 0..20_000 {
            let (next, taken) = gcra(full_at, now, rate);
            full_at = next;
            if taken.allowed {
                passed.push(now);
            }
        }
        for start in 0..17_000 {
            let count = passed.iter().filter(|at| (start..start + 3000).contains(*at)).count();
            assert!(count <= 14, "{count} from {start} on");
        }
        assert!((45..=54).contains(&passed.len()), "the rate holds: {}", passed.len());
    }

    #[test]
    fn a_rate_is_more_than_nothing() {
        assert_eq!(Rate::parse(" 10/60 "), Ok(Rate::new(10, Duration::from_secs(60)).unwrap()));
        for wrong in ["", "10", "0/60", "10/0", "-1/60", "1/2/3", "10/18446744073709551615"] {
            assert!(Rate::parse(wrong).is_err(), "{wrong}");
        }
        // A clock that stands far off breaks nothing.
        let rate = Rate::parse("1/1").unwrap();
        for now in [i64::MIN, -1, i64::MAX] {
            let _ = gcra(0, now, rate);
        }
    }
}
