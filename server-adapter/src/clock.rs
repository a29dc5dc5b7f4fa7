//! Time and randomness: the two things that a simulation replaces.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::store::Millis;

/// Where time and randomness come from.
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// Milliseconds since 1970.
    fn now(&self) -> Millis;

    /// Fills `bytes` with what nobody can guess.
    fn random(&self, bytes: &mut [u8]);
}

/// A clock that is shared.
pub type SharedClock = Arc<dyn Clock>;

/// The system's clock and randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    fn random(&self, bytes: &mut [u8]) {
        if bytes.len() <= SMALL {
            // A call of the system costs more than everything else about an id.
            return POOL.with_borrow_mut(|pool| pool.take(bytes));
        }
        fill(bytes);
    }
}

/// The system's clock for whoever holds leases and waits by it: it never goes back.
///
/// When somebody sets the machine's clock ahead, it follows at once, as after a machine's sleep. When
/// they set it back, it goes on, a tenth slower until the machine has caught up: what was to happen
/// in a second does not happen in an hour.
#[derive(Debug)]
pub struct SteadyClock(Mutex<Line>);

/// Time as a line from a moment on.
#[derive(Debug, Clone, Copy)]
struct Line {
    at: Millis,
    since: Instant,
    last: Millis,
}

/// What the two clocks of a machine may differ without anybody having set one.
const DRIFT: Millis = 50;

impl SteadyClock {
    /// Goes on from what was written last, if the machine says an earlier time: its clock was set
    /// back while nobody looked. What is ahead by more than a week is no time to go on from.
    #[must_use]
    pub fn after(written: Option<Millis>) -> Self {
        const WEEK: Millis = 7 * 24 * 60 * 60 * 1000;
        let system = SystemClock.now();
        let at = written
            .filter(|at| at.saturating_sub(system) < WEEK)
            .map_or(system, |at| at.max(system));
        Self(Mutex::new(Line { at, since: Instant::now(), last: at }))
    }
}

impl Line {
    /// The time, when the machine says `system` at `now`.
    fn told(&mut self, system: Millis, now: Instant) -> Millis {
        let passed = now.saturating_duration_since(self.since).as_millis();
        let passed = Millis::try_from(passed).unwrap_or(0);
        let line = self.at.saturating_add(passed);
        let ahead = line.saturating_sub(system);
        if ahead < -DRIFT {
            (self.at, self.since) = (system, now);
        } else if ahead > DRIFT && passed >= DRIFT {
            (self.at, self.since) = (line - ahead.min(passed / 10), now);
        }
        let passed = now.saturating_duration_since(self.since).as_millis();
        let told = self.at.saturating_add(Millis::try_from(passed).unwrap_or(0));
        self.last = self.last.max(told);
        self.last
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Millis {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.told(SystemClock.now(), Instant::now())
    }

    fn random(&self, bytes: &mut [u8]) {
        SystemClock.random(bytes);
    }
}

/// Bytes of randomness that are taken from the system at once, for each thread.
const POOL_SIZE: usize = 1024;

/// What is taken from the pool: ids. Secrets come from the system itself.
const SMALL: usize = 16;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_SIZE], left: 0 }) };
}

/// Randomness that was not used yet.
struct Pool {
    bytes: [u8; POOL_SIZE],
    left: usize,
}

impl Pool {
    fn take(&mut self, into: &mut [u8]) {
        if self.left < into.len() {
            fill(&mut self.bytes);
            self.left = POOL_SIZE;
        }
        let end = self.left;
        self.left -= into.len();
        if let Some(part) = self.bytes.get_mut(self.left..end) {
            into.copy_from_slice(part);
            // What was given away is not kept.
            part.fill(0);
        }
    }
}

fn fill(bytes: &mut [u8]) {
    // The system's generator fails only where there is none; there nothing may go on, because
    // keys and tokens would be guessed.
    if getrandom::fill(bytes).is_err() {
        std::process::abort();
    }
}

/// A new id: a UUID of version 7, so that ids grow with time.
#[must_use]
pub fn new_id(clock: &dyn Clock) -> String {
    let mut random = [0; 10];
    clock.random(&mut random);
    let millis = u64::try_from(clock.now()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}

/// A new secret of 256 bits, in hexadecimal.
#[must_use]
pub fn new_secret(clock: &dyn Clock) -> String {
    let mut random = [0; 32];
    clock.random(&mut random);
    hex(&random)
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a text cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// A time as HTTP headers have it (RFC 9110).
pub(crate) fn http_date(at: Millis) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

/// The bytes of lower-case hexadecimal.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// Milliseconds since 1970 as RFC 3339 text in UTC.
#[must_use]
pub fn rfc3339(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| String::new(), |time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// RFC 3339 text as milliseconds since 1970.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Millis> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// The first millisecond of the month in UTC.
#[must_use]
pub fn month_start(now: Millis) -> Millis {
    in_utc(now).map_or(0, |date| to_millis(date.first_of_month()))
}

/// The first millisecond of the next month in UTC.
#[must_use]
pub fn month_end(now: Millis) -> Millis {
    let next = in_utc(now).and_then(|date| date.last_of_month().tomorrow().ok());
    next.map_or(Millis::MAX, to_millis)
}

fn in_utc(at: Millis) -> Option<jiff::civil::Date> {
    let time = jiff::Timestamp::from_millisecond(at).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(time).date())
}

fn to_millis(date: jiff::civil::Date) -> Millis {
    let start = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0));
    start.map_or(0, jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_clock_follows_ahead_and_never_goes_back() {
        let start = Instant::now();
        let after = |seconds: i64| start + std::time::Duration::from_secs(seconds as u64);
        let mut line = Line { at: 1_000_000, since: start, last: 1_000_000 };
        assert_eq!(line.told(1_010_000, after(10)), 1_010_000);
        assert_eq!(line.told(4_620_000, after(20)), 4_620_000, "an hour ahead");
        // An hour back: it goes on, nine seconds in ten.
        let mut last = 4_620_000;
        for second in 21..=420 {
            let told = line.told(1_000_000 + second * 1000, after(second));
            assert!((last..=last + 1000).contains(&told), "{last} {told}");
            last = told;
        }
        assert_eq!(last, 4_620_000 + 400 * 900);
        // The machine has caught up.
        assert_eq!(line.told(last, after(500)), last + 72_000);
        assert_eq!(line.told(last + 400_000, after(900)), last + 432_000);
    }

    #[test]
    fn months_are_those_of_utc() {
        let at = |text: &str| parse_rfc3339(text).unwrap();
        let now = at("2026-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(month_start(now)), "2026-12-01T00:00:00.000Z");
        assert_eq!(rfc3339(month_end(now)), "2027-01-01T00:00:00.000Z");
        assert_eq!(at("2026-11-23T20:00:00+02:00"), at("2026-11-23T18:00:00Z"));
        assert_eq!(parse_rfc3339("yesterday"), None);
    }
}
