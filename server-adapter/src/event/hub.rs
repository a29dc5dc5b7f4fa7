//! The hub: one reader of the store for all subscriptions of a process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};

use crate::store::{Event, Result, Store};

/// Events that a subscription may be behind before it reads from the store again.
const BEHIND: usize = 1024;

/// Events that are read at once.
const PAGE: usize = 500;

/// How often the store is asked when nobody says that it changed.
const POLL: Duration = Duration::from_secs(1);

/// The place behind which the hub reads on, and what it found there. Whoever has not come that far
/// missed something, and reads the store.
type Handed = (i64, Option<Arc<Event>>);

/// Hands events on.
#[derive(Debug)]
pub struct Hub {
    store: Arc<dyn Store>,
    events: broadcast::Sender<Handed>,
    /// Whether somebody reads the store; it ends with the last subscription.
    reading: Mutex<bool>,
    closed: watch::Sender<bool>,
}

impl Hub {
    /// A hub over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            store,
            events: broadcast::channel(BEHIND).0,
            reading: Mutex::new(false),
            closed: watch::channel(false).0,
        })
    }

    /// Ends every subscription, now and later: the server stops.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The events of a tenant: those behind `after`, or from now on. Who may be told of one is
    /// said by [`Event::readable_by`].
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn subscribe(
        self: &Arc<Self>,
        tenant: String,
        after: Option<i64>,
    ) -> Result<Subscription> {
        self.subscription(Some(tenant), after).await
    }

    /// The events of everybody, from now on: for what a process keeps for all.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub(crate) async fn subscribe_all(self: &Arc<Self>) -> Result<Subscription> {
        self.subscription(None, None).await
    }

    async fn subscription(
        self: &Arc<Self>,
        tenant: Option<String>,
        after: Option<i64>,
    ) -> Result<Subscription> {
        // Listening starts before the store is asked, so that nothing falls between the two.
        let live = self.events.subscribe();
        self.start();
        let last = match after {
            Some(after) => after,
            None => self.store.last_event().await?,
        };
        Ok(Subscription {
            hub: Arc::clone(self),
            tenant,
            live,
            closed: self.closed.subscribe(),
            missed: VecDeque::new(),
            last,
            behind: true,
        })
    }

    /// Reads the store as long as anybody listens.
    fn start(self: &Arc<Self>) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *reading, true) {
            let hub = Arc::clone(self);
            tokio::spawn(async move { hub.read().await });
        }
    }

    async fn read(self: Arc<Self>) {
        let mut changes = self.store.changes();
        let mut closed = self.closed.subscribe();
        let mut last = None;
        loop {
            last = match self.pass_on(last).await {
                Ok(last) => Some(last),
                Err(error) => {
                    tracing::warn!(%error, "no events were read");
                    last
                }
            };
            {
                let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
                if self.events.receiver_count() == 0 || *closed.borrow_and_update() {
                    *reading = false;
                    return;
                }
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() {
                    tokio::time::sleep(POLL).await;
                },
                _ = closed.changed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Hands on what is new; gives the place of the last.
    async fn pass_on(&self, last: Option<i64>) -> Result<i64> {
        let Some(mut last) = last else {
            // Whoever came before this moment has to look whether something was written meanwhile.
            let start = self.store.last_event().await?;
            let _ = self.events.send((start, None));
            return Ok(start);
        };
        loop {
            let events = self.store.events_after(last, PAGE).await?;
            let more = events.len() == PAGE;
            for event in events {
                let before = std::mem::replace(&mut last, event.cursor);
                // Nobody listening is no fault.
                let _ = self.events.send((before, Some(Arc::new(event))));
            }
            if !more {
                return Ok(last);
            }
        }
    }
}

/// A tenant's events, in the order of commits, without gaps and without repeats.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    /// Whose events; everybody's if none.
    tenant: Option<String>,
    live: broadcast::Receiver<Handed>,
    closed: watch::Receiver<bool>,
    missed: VecDeque<Event>,
    last: i64,
    /// Whether the store may hold what was not seen live.
    behind: bool,
}

impl Subscription {
    /// The next event; none when the server stops.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn next(&mut self) -> Result<Option<Arc<Event>>> {
        loop {
            if *self.closed.borrow() {
                return Ok(None);
            }
            if let Some(event) = self.missed.pop_front() {
                if let Some(event) = self.see(Arc::new(event)) {
                    return Ok(Some(event));
                }
                continue;
            }
            if self.behind {
                let missed = self.hub.store.events_after(self.last, PAGE).await?;
                self.behind = missed.len() == PAGE;
                self.missed = missed.into();
                continue;
            }
            tokio::select! {
                event = self.live.recv() => match event {
                    Ok((before, _)) if before > self.last => self.behind = true,
                    Ok((_, event)) => if let Some(event) = event.and_then(|event| self.see(event)) {
                        return Ok(Some(event));
                    },
                    Err(broadcast::error::RecvError::Lagged(_)) => self.behind = true,
                    Err(broadcast::error::RecvError::Closed) => return Ok(None),
                },
                _ = self.closed.changed() => {}
            }
        }
    }

    /// An event of the tenant that was not seen before.
    fn see(&mut self, event: Arc<Event>) -> Option<Arc<Event>> {
        if event.cursor <= self.last {
            return None;
        }
        self.last = event.cursor;
        self.tenant.as_ref().is_none_or(|tenant| event.tenant == *tenant).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{NOON, reader, wanted};
    use crate::store::{Creation, MemoryStore};

    /// What is written after a subscription looked into the store and before the hub did.
    #[tokio::test]
    async fn nothing_falls_between_the_store_and_the_hub() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let create = async |what: &str| {
            store.create(Creation::of(wanted(what, &reader("ada"), NOON))).await.unwrap();
        };
        let hub = Hub::new(Arc::clone(&store));
        create("a house").await;
        let mut events = hub.subscribe("studio".to_owned(), Some(0)).await.unwrap();
        // Nobody else has had a turn yet: the hub has not looked.
        assert_eq!(events.next().await.unwrap().unwrap().cursor, 1);
        create("a ship").await;
        let next = tokio::time::timeout(Duration::from_secs(20), events.next()).await;
        assert_eq!(next.unwrap().unwrap().unwrap().cursor, 2);
        create("a tree").await;
        assert_eq!(events.next().await.unwrap().unwrap().cursor, 3);
    }
}
