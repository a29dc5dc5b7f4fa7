//! Results that answer creates, remembered for a moment for whoever was given them.
//!
//! A hint in front of the store: with the row, its fence and the slot it holds. What it says is at
//! most a second old, and it is dropped earlier when somebody here changes the row, or the stream of
//! events tells of a result that may have taken the slot.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::event::Hub;
use crate::store::decide::{CreateDecision, decide_create};
use crate::store::{Answer, NewGeneration, Reader, Row, Transition};

/// How old a hint may be.
const AGE: Duration = Duration::from_secs(1);

/// Hints at most.
const MOST: usize = 10_000;

/// A row that answered, and when the store said so.
#[derive(Debug, Clone)]
struct Hint {
    row: Arc<Row>,
    at: Instant,
}

impl Hint {
    fn is_young(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < AGE
    }
}

/// By tenant, key and user.
type Hints = HashMap<String, HashMap<String, HashMap<String, Hint>>>;

/// What was answered lately.
#[derive(Debug, Default)]
pub struct Answers {
    hints: RwLock<(Hints, usize)>,
    /// Whether the stream of events is listened to.
    listening: Mutex<bool>,
}

impl Answers {
    /// The row that answers a create, if its owner was given it less than a second ago and it still
    /// does, by the rules of the store.
    #[must_use]
    pub fn of(&self, new: &NewGeneration, now: Instant) -> Option<Arc<Row>> {
        let key = new.asked.cache_key.as_ref()?;
        let Reader { tenant, user } = &new.owner;
        let hints = self.hints.read().unwrap_or_else(PoisonError::into_inner);
        let hint = hints.0.get(tenant)?.get(key)?.get(user)?;
        let decision = decide_create(new, Some(&hint.row), None);
        let answers = decision == CreateDecision::Answered(Answer::Cache);
        (answers && hint.is_young(now)).then(|| Arc::clone(&hint.row))
    }

    /// Remembers what the store answered to a create of `reader`, when it was asked at `asked`.
    pub fn put(&self, reader: &Reader, row: &Row, asked: Instant) {
        let Some(key) = row.reuse_key.clone() else { return };
        let mut hints = self.hints.write().unwrap_or_else(PoisonError::into_inner);
        if hints.1 >= MOST {
            Self::drop_old(&mut hints, asked);
            if hints.1 >= MOST {
                *hints = Default::default();
            }
        }
        let (all, count) = &mut *hints;
        let of_key = all.entry(reader.tenant.clone()).or_default().entry(key).or_default();
        let hint = Hint { row: Arc::new(row.clone()), at: asked };
        if of_key.insert(reader.user.clone(), hint).is_none() {
            *count += 1;
        }
    }

    /// Forgets what a tenant was answered: something of it changed.
    pub fn forget(&self, tenant: &str) {
        let mut hints = self.hints.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(gone) = hints.0.remove(tenant) {
            hints.1 -= gone.values().map(HashMap::len).sum::<usize>();
        }
    }

    /// Forgets what is too old; whether anything is left.
    fn tidy(&self, now: Instant) -> bool {
        let mut hints = self.hints.write().unwrap_or_else(PoisonError::into_inner);
        Self::drop_old(&mut hints, now);
        hints.1 > 0
    }

    fn drop_old((hints, count): &mut (Hints, usize), now: Instant) {
        *count = 0;
        hints.retain(|_, keys| {
            keys.retain(|_, users| {
                users.retain(|_, hint| hint.is_young(now));
                *count += users.len();
                !users.is_empty()
            });
            !keys.is_empty()
        });
    }

    /// Listens to the stream of events for as long as there is something to forget.
    pub fn listen(self: &Arc<Self>, hub: &Arc<Hub>) {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *listening, true) {
            let (answers, hub) = (Arc::clone(self), Arc::clone(hub));
            tokio::spawn(async move { Ear(answers).hear(&hub).await });
        }
    }
}

/// Whoever listens; when it is gone, another one may.
struct Ear(Arc<Answers>);

impl Drop for Ear {
    fn drop(&mut self) {
        *self.0.listening.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl Ear {
    async fn hear(self, hub: &Arc<Hub>) {
        // Without the stream hints only live their second.
        let Ok(mut events) = hub.subscribe_all().await else { return };
        let mut tidy = Instant::now();
        loop {
            let next = tokio::time::timeout(AGE, events.next()).await;
            match next {
                // What was made anew takes the slot of another row.
                Ok(Ok(Some(event))) if event.kind == Transition::Completed.word() => {
                    self.0.forget(&event.tenant);
                }
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None) | Err(_)) => return,
                Err(_) => {}
            }
            if tidy.elapsed() >= AGE {
                tidy = Instant::now();
                if !self.0.tidy(tidy) {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use onepath_core::Rating;
    use onepath_core::lifecycle::State;

    use super::*;
    use crate::store::conformance::{NOON, complete_all, reader, wanted};
    use crate::store::{Creation, MemoryStore, Store};

    /// A wish, and the row that answers it.
    fn answered(what: &str) -> (NewGeneration, Row) {
        let new = wanted(what, &reader("ada"), NOON);
        let mut row = new.clone().into_row(1);
        row.state = State::Completed { run: 1, fallback: None };
        row.reuse_key.clone_from(&row.asked.cache_key);
        row.expires_at = Some(NOON + 1000);
        (new, row)
    }

    #[test]
    fn it_answers_whoever_was_given_it_and_nobody_else() {
        let (answers, now) = (Answers::default(), Instant::now());
        let (new, row) = answered("a house");
        assert_eq!(answers.of(&new, now), None);
        answers.put(&new.owner, &row, now);
        assert_eq!(answers.of(&new, now).as_deref(), Some(&row));
        let other = NewGeneration { owner: reader("ben"), ..new.clone() };
        assert_eq!(answers.of(&other, now), None, "who was not given it asks the store");
        assert_eq!(answers.of(&answered("a ship").0, now), None);
        answers.forget("elsewhere");
        assert!(answers.of(&new, now).is_some());
        answers.forget(&new.owner.tenant);
        assert_eq!(answers.of(&new, now), None);
    }

    #[test]
    fn it_is_no_older_than_a_second() {
        let (answers, now) = (Answers::default(), Instant::now());
        let (new, row) = answered("a house");
        answers.put(&new.owner, &row, now);
        assert!(answers.of(&new, now + AGE - Duration::from_millis(1)).is_some());
        assert_eq!(answers.of(&new, now + AGE), None);
        assert!(!answers.tidy(now + AGE), "and it is gone");
    }

    #[test]
    fn the_rules_of_the_store_hold() {
        let (answers, now) = (Answers::default(), Instant::now());
        let (new, row) = answered("a house");
        answers.put(&new.owner, &row, now);
        let mut late = new.clone();
        late.now = NOON + 1000;
        assert_eq!(answers.of(&late, now), None, "it has expired");
        let mut anew = new.clone();
        anew.asked.force_new = true;
        assert_eq!(answers.of(&anew, now), None, "it is wanted anew");
        let (mut lower, mut others) = (new.clone(), row.clone());
        others.owner = "ben".to_owned();
        others.asked.rating.effective = Rating::Romantic;
        answers.put(&new.owner, &others, now);
        lower.asked.rating.effective = Rating::Sfw;
        assert_eq!(answers.of(&lower, now), None, "the bounds are lower by now");
        lower.asked.rating.effective = Rating::Romantic;
        assert!(answers.of(&lower, now).is_some());
        let mut gone = row.clone();
        gone.deleted_at = Some(NOON);
        answers.put(&new.owner, &gone, now);
        assert_eq!(answers.of(&new, now), None, "it is deleted");
    }

    #[test]
    fn there_are_not_too_many() {
        let (answers, now) = (Answers::default(), Instant::now());
        for index in 0..=MOST {
            let (new, row) = answered(&format!("picture {index}"));
            answers.put(&new.owner, &row, now);
        }
        let hints = answers.hints.read().unwrap();
        let count: usize = hints.0.values().flat_map(HashMap::values).map(HashMap::len).sum();
        assert_eq!((count, hints.1), (1, 1));
    }

    #[tokio::test]
    async fn the_stream_of_events_drops_it() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let hub = Hub::new(Arc::clone(&store));
        let answers = Arc::new(Answers::default());
        let (new, row) = answered("a house");
        // Long enough for any machine: only the stream can drop it.
        let later = Instant::now() + Duration::from_secs(600);
        answers.put(&new.owner, &row, later);
        answers.listen(&hub);
        let mut turn = 0;
        while answers.of(&new, later).is_some() {
            // Until the listener has begun, what happens is not for it.
            let another = wanted(&format!("a ship {turn}"), &reader("ben"), NOON);
            store.create(Creation::of(another)).await.unwrap();
            complete_all(&*store, NOON).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            turn += 1;
            assert!(turn < 6000, "the hint stays");
        }
    }
}
