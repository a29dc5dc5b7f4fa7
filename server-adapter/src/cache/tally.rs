//! How creates were answered, counted in memory and given to the store now and then.
//!
//! A hit is answered without a write, so that counting it must not be one. What was counted since
//! the last time is lost with the process: these are statistics, the ledger is elsewhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use onepath_core::Strategy;

use crate::store::{Answer, AnswerCount, Millis, Row};

/// A minute, a tenant, and how its creates were answered.
type Place = (Millis, String, &'static str, &'static str);

const MINUTE: Millis = 60_000;

/// Counts that the store has not heard of yet.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Mutex<BTreeMap<Place, (Strategy, Answer, i64, i64)>>,
}

impl Tally {
    /// Counts the answer to a create, in the row's tenant.
    pub fn count(&self, row: &Row, answer: Answer, now: Millis) {
        let strategy = row.asked.strategy;
        let minute = now - now.rem_euclid(MINUTE);
        let place = (minute, row.tenant.clone(), strategy.word(), answer.word());
        let saved = match answer {
            Answer::Created => 0,
            Answer::Joined | Answer::Cache | Answer::Hash => row.asked.price_micros.unwrap_or(0),
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let line = counts.entry(place).or_insert((strategy, answer, 0, 0));
        line.2 += 1;
        line.3 += saved;
    }

    /// Takes what was counted.
    #[must_use]
    pub fn take(&self) -> Vec<AnswerCount> {
        let counts =
            std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        type Line = (Place, (Strategy, Answer, i64, i64));
        let line = |((minute, tenant, ..), (strategy, answer, count, saved_micros)): Line| {
            AnswerCount { minute, tenant, strategy, answer, count, saved_micros }
        };
        counts.into_iter().map(line).collect()
    }

    /// Puts back what the store did not take.
    pub fn put_back(&self, lines: Vec<AnswerCount>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines {
            let place = (line.minute, line.tenant, line.strategy.word(), line.answer.word());
            let known = counts.entry(place).or_insert((line.strategy, line.answer, 0, 0));
            known.2 += line.count;
            known.3 += line.saved_micros;
        }
    }
}
