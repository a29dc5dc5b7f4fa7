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
}

impl Service {
    /// Events that the caller may be told: those behind `after`, or from now on.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn listen(&self, caller: &Caller, after: Option<i64>) -> Result<Listening, Problem> {
        let events = self.hub.subscribe(caller.reader.tenant.clone(), after).await?;
        Ok(Listening { service: self.clone(), reader: caller.reader.clone(), events })
    }
}

impl Listening {
    /// The next event; none when the server stops.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn next(&mut self) -> Result<Option<Arc<Event>>, Problem> {
        while let Some(event) = self.events.next().await? {
            let viewer = self.service.viewer(&self.reader).await?;
            if event.readable_by(&viewer) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}
