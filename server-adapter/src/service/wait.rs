//! Waiting: for those who would rather hold the line than ask again.

use std::time::Duration;

use super::view::GenerationResponse;
use super::{Caller, Service};
use crate::problem::Problem;

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Service {
    /// The generation as soon as it is over, or as it is when the wait is.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, also for what belongs to others.
    pub async fn wait_for(
        &self,
        caller: &Caller,
        id: &str,
        wait: Duration,
    ) -> Result<GenerationResponse, Problem> {
        // Listening starts before the first look, so that no end falls between the two.
        let mut events = self.hub.subscribe(caller.reader.tenant.clone(), None).await?;
        let first = self.get(caller, id).await?;
        if is_over(&first) {
            return Ok(first);
        }
        let over = async {
            loop {
                match events.next().await {
                    Ok(Some(event)) if event.is_of(id) => {
                        let now = self.get(caller, id).await?;
                        if is_over(&now) {
                            return Ok(now);
                        }
                    }
                    Ok(Some(_)) => {}
                    // The server stops, or the store does not answer: say how it is.
                    Ok(None) | Err(_) => return self.get(caller, id).await,
                }
            }
        };
        match tokio::time::timeout(wait.min(LONGEST_WAIT), over).await {
            Ok(result) => result,
            Err(_) => self.get(caller, id).await,
        }
    }
}

fn is_over(generation: &GenerationResponse) -> bool {
    matches!(generation.status.word(), "completed" | "failed" | "cancelled")
}
