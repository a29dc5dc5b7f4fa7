//! The database's time, between two questions.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::Millis;
use crate::clock::{Clock, SystemClock};

/// Milliseconds since 1970 by the database.
pub(super) const NOW: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

/// The database's time, told on by how long ago it was asked for. The machine's own clock plays no
/// part in it, only the steadiness of its seconds.
#[derive(Debug)]
pub(super) struct DatabaseClock(Mutex<(Millis, Instant)>);

impl DatabaseClock {
    /// As the database said `at`, in answer to a question of this moment.
    pub(super) fn new(at: Millis, asked: Instant) -> Self {
        Self(Mutex::new(measured(at, asked).0))
    }

    /// Corrects the time by a new answer, if it differs by more than the answer can be wrong.
    pub(super) fn correct(&self, at: Millis, asked: Instant) {
        let (said, doubt) = measured(at, asked);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told(*kept, said.1).abs_diff(said.0) > doubt {
            *kept = said;
        }
    }
}

/// The answer belongs to some moment between question and now: the middle is taken.
fn measured(at: Millis, asked: Instant) -> ((Millis, Instant), u64) {
    let half = asked.elapsed() / 2;
    let doubt = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).saturating_add(2);
    ((at, asked + half), doubt)
}

fn told((at, since): (Millis, Instant), now: Instant) -> Millis {
    let millis = |time: Duration| Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX);
    match now.checked_duration_since(since) {
        Some(passed) => at.saturating_add(millis(passed)),
        None => at.saturating_sub(millis(since.duration_since(now))),
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Millis {
        let kept = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told(kept, Instant::now())
    }

    fn random(&self, bytes: &mut [u8]) {
        SystemClock.random(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_database_is_followed_and_noise_is_not() {
        let asked = Instant::now();
        let clock = DatabaseClock::new(5_000_000, asked);
        let now = clock.now();
        assert!((5_000_000..5_000_900).contains(&now), "{now}");
        clock.correct(now + 1, Instant::now());
        assert!(clock.now() < now + 900, "noise moves nothing");
        clock.correct(1_000_000, Instant::now());
        assert!((1_000_000..1_000_900).contains(&clock.now()), "back by an hour and more");
        clock.correct(9_000_000, Instant::now());
        assert!((9_000_000..9_000_900).contains(&clock.now()));
    }
}
