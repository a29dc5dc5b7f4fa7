//! Listening: events as a caller may hear them.

use std::sync::Arc;

use super::{Caller, Service};
use crate::event::Subscription;
use crate::problem::Problem;
use crate::store::{Event, Reader};

/// A caller's events. Bounds that are lowered count from the next event on, however long it listens.
#[derive(Debug)]
pub struct Listening {
    service: Service,
    reader: Reader,
    events: Subscription,
    /// Taken, and not yet told: who stops waiting in the middle loses nothing.
    held: Option<Arc<Event>>,
}

impl Service {
    /// Events that the caller may be told: those behind `after`, or from now on.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn listen(&self, caller: &Caller, after: Option<i64>) -> Result<Listening, Problem> {
        let events = self.hub.subscribe(caller.reader.tenant.clone(), after).await?;
        Ok(Listening { service: self.clone(), reader: caller.reader.clone(), events, held: None })
    }
}

impl Listening {
    /// The next event; none when the server stops. Nothing is lost if the wait is given up.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn next(&mut self) -> Result<Option<Arc<Event>>, Problem> {
        loop {
            if self.held.is_none() {
                self.held = self.events.next().await?;
            }
            if self.held.is_none() {
                return Ok(None);
            }
            let viewer = self.service.viewer(&self.reader).await?;
            let told = self.held.take().filter(|event| event.readable_by(&viewer));
            if told.is_some() {
                return Ok(told);
            }
        }
    }
}
