//! How long to wait, and when to give up.

use std::time::{Duration, Instant};

/// A call goes again for so long.
const LONGEST: Duration = Duration::from_secs(60);

/// The waits of one call.
#[derive(Debug)]
pub(crate) struct Patience {
    since: Instant,
    next: Duration,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self { since: Instant::now(), next: Duration::from_millis(200) }
    }

    /// The next wait: what the server told, else twice the last; none when it has been too long.
    /// Whoever stands in a queue waits for as long as it takes.
    pub(crate) fn pause(&mut self, turn: Turn) -> Option<Duration> {
        let (Turn::Later(told) | Turn::Queue(told)) = turn;
        let pause = told.unwrap_or(self.next);
        self.next = (self.next * 2).min(Duration::from_secs(10));
        if matches!(turn, Turn::Queue(_)) {
            // Time in the queue is no time without an answer.
            self.since = Instant::now();
            return Some(pause.max(Duration::from_millis(100)));
        }
        (self.since.elapsed() + pause <= LONGEST).then_some(pause)
    }
}

/// How a call may go again, and after how long, if the server says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The server is away or busy.
    Later(Option<Duration>),
    /// Others are first.
    Queue(Option<Duration>),
}

/// The pause between two looks at a generation: short at first, 3 seconds until a minute has
/// passed, then up to 30.
pub(crate) fn poll_pause(since: Duration) -> Duration {
    let pause = if since < Duration::from_secs(60) {
        (since / 4).clamp(Duration::from_millis(50), Duration::from_secs(3))
    } else {
        (since / 10).clamp(Duration::from_secs(3), Duration::from_secs(30))
    };
    pause.max(Duration::from_millis(50))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_seldom_and_never_stop() {
        let seconds = |at: u64| poll_pause(Duration::from_secs(at)).as_millis();
        assert_eq!(seconds(0), 50);
        assert_eq!(seconds(4), 1000);
        assert_eq!(seconds(59), 3000);
        assert_eq!(seconds(100), 10_000);
        assert_eq!(seconds(86_400), 30_000);
    }

    #[test]
    fn the_server_is_believed_and_a_minute_is_enough() {
        let mut patience = Patience::new();
        let seconds = |seconds: u64| Some(Duration::from_secs(seconds));
        assert_eq!(patience.pause(Turn::Later(seconds(7))), seconds(7));
        assert_eq!(patience.pause(Turn::Later(None)), Some(Duration::from_millis(400)));
        assert_eq!(patience.pause(Turn::Later(seconds(61))), None);
        assert_eq!(patience.pause(Turn::Queue(seconds(61))), seconds(61), "others are first");
    }
}
