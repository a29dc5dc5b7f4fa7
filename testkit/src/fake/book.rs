//! What the scripted provider knows: its predictions, and what it charged for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::script::{Act, Answer, Ending};
use crate::Fallible;

/// What the provider does about a token that it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// The token is an idempotency key: the second submission is the first.
    Key,
    /// Every submission is one of its own, and is charged; a list shows them by token, so long
    /// after they were taken.
    List(Duration),
}

/// One charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The attempt's token.
    pub token: String,
    /// The request's hash.
    pub request_hash: String,
    /// The prediction that was charged for.
    pub prediction: String,
}

/// One prediction.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// The request's hash.
    pub request_hash: String,
    /// When it was taken.
    pub taken: Instant,
    /// How it ends.
    pub ending: Ending,
    /// Whether it was asked to stop before it was done.
    pub stopped: bool,
    /// How often its state was asked for.
    pub asked: u32,
}

/// How a submission is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reception {
    /// It was not taken.
    Not(Act),
    /// It was taken as this prediction.
    Taken(String, Answer),
}

#[derive(Debug)]
struct Pages {
    log: File,
    predictions: BTreeMap<String, Prediction>,
    tokens: BTreeMap<String, Vec<String>>,
    turns: BTreeMap<String, usize>,
}

/// The provider's book.
#[derive(Debug)]
pub struct Book {
    keeping: Keeping,
    work: Duration,
    pages: Mutex<Pages>,
}

impl Book {
    /// A book whose charges are written to a file, durably before anybody hears of them. A
    /// prediction takes up to `work`.
    ///
    /// # Errors
    ///
    /// The file cannot be made.
    pub fn new(log: &Path, keeping: Keeping, work: Duration) -> Fallible<Self> {
        let file = File::options().create(true).append(true).open(log);
        let log = file.map_err(|error| format!("{}: {error}", log.display()))?;
        let pages = Pages {
            log,
            predictions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            turns: BTreeMap::new(),
        };
        Ok(Self { keeping, work, pages: Mutex::new(pages) })
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a submission, or not, as the script of its request says.
    ///
    /// # Errors
    ///
    /// The charge cannot be written.
    pub fn submit(&self, token: &str, request_hash: &str, script: &str) -> Fallible<Reception> {
        let mut pages = self.pages();
        if self.keeping == Keeping::Key
            && let Some(known) = pages.tokens.get(token).and_then(|known| known.first())
        {
            return Ok(Reception::Taken(known.clone(), Answer::Good));
        }
        let turn = pages.turns.entry(request_hash.to_owned()).or_default();
        let act = Act::of(script, *turn);
        *turn += 1;
        let Act::Taken(answer, ending) = act else { return Ok(Reception::Not(act)) };
        let prediction = format!("p{:06}", pages.predictions.len());
        let line = format!("{token} {request_hash} {prediction}\n");
        let written = pages.log.write_all(line.as_bytes()).and_then(|()| pages.log.sync_data());
        written.map_err(|error| format!("the charge log: {error}"))?;
        let state = Prediction {
            request_hash: request_hash.to_owned(),
            taken: Instant::now(),
            ending,
            stopped: false,
            asked: 0,
        };
        pages.predictions.insert(prediction.clone(), state);
        pages.tokens.entry(token.to_owned()).or_default().push(prediction.clone());
        Ok(Reception::Taken(prediction, answer))
    }

    /// The prediction of a token, as far as the provider shows it.
    pub fn find(&self, token: &str) -> Option<String> {
        let pages = self.pages();
        let known = pages.tokens.get(token)?.first()?;
        let lag = match self.keeping {
            Keeping::Key => Duration::ZERO,
            Keeping::List(lag) => lag,
        };
        let shown = pages.predictions.get(known).is_some_and(|one| one.taken.elapsed() >= lag);
        shown.then(|| known.clone())
    }

    /// Looks at a prediction, and counts the look.
    pub fn look(&self, prediction: &str) -> Option<(Prediction, bool)> {
        let mut pages = self.pages();
        let state = pages.predictions.get_mut(prediction)?;
        state.asked += 1;
        let is_over = is_over(state, prediction, self.work);
        Some((state.clone(), is_over))
    }

    /// Stops a prediction that is not over.
    pub fn stop(&self, prediction: &str) {
        let mut pages = self.pages();
        if let Some(state) = pages.predictions.get_mut(prediction)
            && !is_over(state, prediction, self.work)
        {
            state.stopped = true;
        }
    }
}

/// Whether a prediction is done: each takes its own share of the longest time.
fn is_over(state: &Prediction, prediction: &str, work: Duration) -> bool {
    let number: u32 = prediction.trim_start_matches('p').parse().unwrap_or(0);
    let share = work * (number.wrapping_mul(37) % 100) / 100;
    state.stopped || (state.ending != Ending::Never && state.taken.elapsed() >= share)
}

/// The charges of a log.
///
/// # Errors
///
/// The log cannot be read, or a line of it.
pub fn charges(log: &Path) -> Fallible<Vec<Charge>> {
    let text =
        std::fs::read_to_string(log).map_err(|error| format!("{}: {error}", log.display()))?;
    let charge = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        match (words.next(), words.next(), words.next()) {
            (Some(token), Some(request_hash), Some(prediction)) => {
                Ok(Charge { token, request_hash, prediction })
            }
            _ => Err(format!("the charge log has a broken line: `{line}`")),
        }
    };
    text.lines().map(charge).collect()
}
