//! Carrying one row: every effect of the lifecycle, one after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use onepath_core::lifecycle::{Effect, ErrorCode, Event, ProviderReport};

use super::{Worker, millis};
use crate::clock::new_secret;
use crate::log::tell;
use crate::provider::{
    Credentials, Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError,
};
use crate::store::decide::is_done_by_store;
use crate::store::{Advance, Claimed, Result, Row};
use crate::telemetry::metrics;

/// How long a row rests whose provider is not asked.
const UNASKED: Duration = Duration::from_secs(5);

/// A row while it is carried.
pub(super) struct Load<'w> {
    pub(super) worker: &'w Worker,
    pub(super) row: Row,
    pub(super) effects: VecDeque<Effect>,
    /// With what the provider is asked.
    pub(super) credentials: Option<Credentials>,
    /// What the provider made, when it just said so.
    pub(super) outputs: Option<Vec<Output>>,
    /// Whether it was sent to the provider just now.
    sent: bool,
}

impl Worker {
    /// Carries a row on until it ends, waits, or is lost to somebody else.
    pub(super) async fn carry(&self, claimed: Claimed) -> Result<()> {
        let mut load = Load {
            worker: self,
            row: claimed.row,
            effects: claimed.effects.into(),
            credentials: None,
            outputs: None,
            sent: false,
        };
        while let Some(effect) = load.effects.pop_front() {
            if !is_done_by_store(effect) && !load.carry_out(effect).await? {
                break;
            }
        }
        Ok(())
    }
}

impl Load<'_> {
    /// Carries one effect out; false if there is nothing more to do for now.
    async fn carry_out(&mut self, effect: Effect) -> Result<bool> {
        let Some(provider) = self.worker.providers.get(self.row.provider()).cloned() else {
            return self.without_provider().await;
        };
        if !self.has_key().await? {
            return self.without_key().await;
        }
        match effect {
            Effect::StoreIntent => {
                if !self.has_credits(&provider).await? {
                    return self.gives_up_seat().await;
                }
                let mut advance = self.event(Event::IntentStored);
                advance.token = Some(new_secret(&*self.worker.clock));
                let operation = self.row.asked.operation;
                let settings = &self.worker.settings;
                advance.deadline_at = Some(settings.stuck_at(operation, advance.now));
                self.advance(advance).await
            }
            Effect::Submit => self.submit(&provider).await,
            Effect::LookUp => self.look_up(&provider).await,
            Effect::Poll => self.poll(&provider).await,
            Effect::Fetch => self.fetch(&provider).await,
            Effect::CancelAtProvider => {
                if let Some(prediction) = &self.row.prediction
                    && let Err(error) =
                        self.asked("cancel", provider.cancel(&self.submission(), prediction)).await
                {
                    // Asked again with the next poll.
                    tracing::warn!(%error, generation = %self.row.id, "not cancelled at the provider");
                }
                Ok(true)
            }
            Effect::Schedule
            | Effect::Reserve
            | Effect::Debit
            | Effect::Release
            | Effect::Announce => Ok(true),
        }
    }

    /// Applies an event; what it asks for is carried out next.
    pub(super) async fn advance(&mut self, advance: Advance) -> Result<bool> {
        match self.worker.store.advance(&advance).await? {
            Some(advanced) => {
                tell(&advanced.row, &advanced.steps);
                self.row = advanced.row;
                self.effects.extend(advanced.effects);
                Ok(true)
            }
            None => {
                self.effects.clear();
                Ok(false)
            }
        }
    }

    pub(super) fn event(&self, event: Event) -> Advance {
        let mut advance = Advance::new(&self.row, event, self.worker.clock.now());
        let mut chance = [0];
        self.worker.clock.random(&mut chance);
        [advance.jitter] = chance;
        advance.budgets = self.worker.live.last().budgets();
        advance
    }

    /// Lets go of the row until `wait` milliseconds have passed; past its deadline it has waited
    /// long enough.
    pub(super) async fn wait(&mut self, event: Event, wait: i64) -> Result<bool> {
        if self.row.deadline_at.is_some_and(|at| at <= self.worker.clock.now()) {
            let before = self.row.state;
            self.effects.clear();
            if !self.advance(self.event(Event::DeadlinePassed)).await? {
                return Ok(false);
            }
            if self.row.state != before {
                return Ok(true);
            }
        }
        let mut advance = self.event(event);
        advance.next_run_at = Some(advance.now + wait);
        advance.gives_back = true;
        self.advance(advance).await?;
        self.effects.clear();
        Ok(false)
    }

    /// Nobody here speaks for the row's provider: it is as if the provider were down.
    async fn without_provider(&mut self) -> Result<bool> {
        tracing::error!(generation = %self.row.id, provider = %self.row.provider(),
            "this server has no such provider");
        self.wait(Event::NoAccount(ErrorCode::ProviderUnavailable), 60_000).await
    }

    /// The attempt, as the provider needs to know it.
    pub(super) fn submission(&self) -> Submission {
        Submission::of(&self.row, self.credentials.clone())
    }

    /// What a provider answers; one that answers no more has not answered, so that no row is held
    /// for ever by a worker that lives.
    pub(super) async fn asked<T>(
        &self,
        call: &'static str,
        answer: impl Future<Output = std::result::Result<T, NoAnswer>>,
    ) -> std::result::Result<T, NoAnswer> {
        let begun = Instant::now();
        let answered = tokio::time::timeout(self.worker.settings.answer(), answer).await;
        let answered = answered.unwrap_or_else(|_| Err(NoAnswer::new("not before the deadline")));
        metrics::called(self.row.provider(), call, answered.is_ok(), begun.elapsed());
        answered
    }

    async fn submit(&mut self, provider: &Arc<dyn Provider>) -> Result<bool> {
        if !self.still_holds().await? {
            return Ok(false);
        }
        let mut submission = self.submission();
        self.sent = true;
        submission.webhook = self.worker.open_door(&self.row, provider).await?;
        submission.files = self.files().await?;
        submission.copies = Some(self.worker.copies(&self.row));
        if let Some(urls) = &self.worker.urls {
            let now = self.worker.clock.now();
            submission.urls = submission
                .files
                .keys()
                .filter_map(|reference| {
                    let asset = reference.strip_prefix("asset:")?;
                    Some((reference.clone(), urls.url(&self.row, asset, now)))
                })
                .collect();
        }
        let begun = Instant::now();
        let answer =
            tokio::time::timeout(self.worker.settings.answer(), provider.submit(&submission));
        let lost = |_| Err(SubmitError::Lost("not before the deadline".to_owned()));
        let answer = answer.await.unwrap_or_else(lost);
        metrics::called(self.row.provider(), "submit", answer.is_ok(), begun.elapsed());
        match answer {
            Ok(prediction) => {
                let mut advance = self.event(Event::Accepted);
                advance.prediction = Some(prediction);
                self.advance(advance).await
            }
            Err(error) => {
                match &error {
                    // The provider's words may repeat the prompt: no log has them.
                    SubmitError::Refused(refusal) => tracing::info!(
                        code = %refusal.code, generation = %self.row.id, "a submission was not taken"
                    ),
                    SubmitError::Lost(detail) => tracing::warn!(
                        detail, generation = %self.row.id, "a submission was lost"
                    ),
                }
                let mut advance = match &error {
                    SubmitError::Refused(refusal) => {
                        self.worker.forget_copies(&self.row).await?;
                        self.event(Event::Refused(refusal.code))
                    }
                    SubmitError::Lost(_) => self.event(Event::AnswerLost),
                };
                if let SubmitError::Refused(Refusal { retry_after: Some(after), .. }) = error {
                    advance.not_before = Some(advance.now + self.at_least(after));
                }
                self.advance(advance).await
            }
        }
    }

    /// Whether the row is still this worker's. A process that stood still for longer than its lease
    /// asks before it sends: somebody else may have asked for the submission by now, and one that
    /// comes late could not be told from one that is lost.
    async fn still_holds(&mut self) -> Result<bool> {
        let now = self.worker.clock.now();
        if self.row.lease_until.is_some_and(|until| until > now) {
            return Ok(true);
        }
        let until = now + millis(self.worker.settings.lease);
        let (id, fence) = (&self.row.id, self.row.fence);
        let holds = self.worker.store.heartbeat(id, fence, now, until).await?;
        self.row.lease_until = holds.then_some(until);
        Ok(holds && self.worker.clock.now() < until)
    }

    async fn look_up(&mut self, provider: &Arc<dyn Provider>) -> Result<bool> {
        if let Some(prediction) = self.worker.told(&self.row, provider).await? {
            let mut advance = self.event(Event::Found);
            advance.prediction = Some(prediction);
            return self.advance(advance).await;
        }
        let since = self.row.submitted_at.unwrap_or(self.row.created_at);
        // What the provider says is true for this moment at the earliest, not for when it arrives.
        let asked_at = self.worker.clock.now();
        let mut submission = self.submission();
        // By where it was to report to, a provider knows it among others of the same content.
        submission.webhook = self.worker.open_door(&self.row, provider).await?;
        match self.asked("find", provider.find(&submission)).await {
            Ok(Found::Prediction(prediction)) => {
                let mut advance = self.event(Event::Found);
                advance.prediction = Some(prediction);
                self.advance(advance).await
            }
            Ok(Found::Alike(list)) => {
                // Those of other attempts are known by now: they were answered, or lost as well.
                let left = since + millis(provider.visibility()) - self.worker.clock.now();
                if left > 0 || self.sent {
                    return self.wait(Event::AnswerLost, left.max(self.pause())).await;
                }
                let of = self.row.provider();
                match self.worker.store.unclaimed(of, &list).await?.pop() {
                    Some(oldest) => {
                        let mut advance = self.event(Event::Found);
                        advance.prediction = Some(oldest);
                        self.advance(advance).await
                    }
                    None => self.advance(self.event(Event::NotThere)).await,
                }
            }
            // Only a webhook can tell, or the deadline.
            Ok(Found::CannotTell) => self.wait(Event::AnswerLost, self.pause()).await,
            Ok(Found::NotThere) => {
                let left = since + millis(provider.visibility()) - asked_at;
                if left > 0 || self.sent {
                    // It may still show up, and what was lost a moment ago is not sent at once.
                    self.wait(Event::AnswerLost, left.max(self.pause())).await
                } else {
                    // The provider does not know the token: the same token goes again.
                    self.advance(self.event(Event::NotThere)).await
                }
            }
            Err(error) => {
                tracing::warn!(%error, generation = %self.row.id, "a lost submission was not found");
                let wait =
                    self.pause().max(error.retry_after.map_or(0, |after| self.at_least(after)));
                self.wait(Event::AnswerLost, wait).await
            }
        }
    }

    async fn poll(&mut self, provider: &Arc<dyn Provider>) -> Result<bool> {
        let Some(prediction) = self.row.prediction.clone() else {
            return self.look_up(provider).await;
        };
        if !self.is_polled(provider).await? {
            let rest = self.pause().max(millis(UNASKED));
            return self.wait(Event::Reported(ProviderReport::Running), rest).await;
        }
        let rest = self.pause();
        let standing = match self
            .asked("status", provider.status(&self.submission(), &prediction))
            .await
        {
            Ok(standing) => standing,
            Err(error) => {
                tracing::warn!(%error, generation = %self.row.id, "the provider was not reached");
                let rest = rest.max(error.retry_after.map_or(0, |after| self.at_least(after)));
                return self.wait(Event::Reported(ProviderReport::Running), rest).await;
            }
        };
        let Standing { report, outputs, detail, charged } = standing;
        match report {
            ProviderReport::Running => self.wait(Event::Reported(report), rest).await,
            ProviderReport::Unknown => {
                // It is parked until the deadline; the adapter has to learn the word.
                tracing::error!(generation = %self.row.id, provider = %self.row.provider(),
                    detail, "the provider reports a status that is not known");
                self.wait(Event::Reported(report), rest).await
            }
            ProviderReport::Succeeded { .. }
            | ProviderReport::Failed(_)
            | ProviderReport::Cancelled { .. } => {
                if matches!(report, ProviderReport::Failed(_)) {
                    self.worker.forget_copies(&self.row).await?;
                }
                metrics::charged(self.row.provider(), charged);
                self.outputs = Some(outputs);
                self.advance(self.event(Event::Reported(report))).await
            }
        }
    }

    /// Whether the provider is asked how the attempt stands. Where an operator has switched that off
    /// it is asked once it has reported, and once more before the run is given up.
    async fn is_polled(&self, provider: &Arc<dyn Provider>) -> Result<bool> {
        let is_late = self.row.deadline_at.is_some_and(|at| at <= self.worker.clock.now());
        Ok(is_late
            || self.worker.live.last().polls(self.row.provider())
            || self.worker.told(&self.row, provider).await?.is_some())
    }

    /// Milliseconds for which a provider wants to be left alone, and a little more, so that not
    /// everybody comes back at once. An hour at most: what it says is a wish.
    fn at_least(&self, after: Duration) -> i64 {
        let mut byte = [0];
        self.worker.clock.random(&mut byte);
        let wish = millis(after).clamp(0, 60 * 60 * 1000);
        wish + wish * i64::from(byte[0]) / 2048 + i64::from(byte[0])
    }

    /// Often at first, seldom later: a tenth of the time since the submission, within bounds.
    pub(super) fn pause(&self) -> i64 {
        let first = millis(self.worker.settings.poll);
        let since = self.worker.clock.now() - self.row.submitted_at.unwrap_or(0);
        (since / 10).clamp(first, first.saturating_mul(10))
    }

    /// Tried again later; the deadline ends it.
    pub(super) async fn not_kept(
        &mut self,
        error: &(dyn std::error::Error + Send + Sync),
    ) -> Result<bool> {
        tracing::warn!(%error, generation = %self.row.id, "what was made was not kept");
        self.wait(Event::StoreFailed, self.pause()).await
    }
}
