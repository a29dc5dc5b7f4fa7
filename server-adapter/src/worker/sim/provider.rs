//! A simulated provider: answers come late or never, and what was sent arrives whoever dies.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{ProviderInfo, decode};

use super::world::{NATURE, World};
use crate::provider::{
    Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError,
};
use crate::store::Millis;

/// Longest way to the provider, in milliseconds.
const WAY: u64 = 2_000;

/// How long the provider's list lags at most.
const LAG: u64 = 5_000;

/// What it declares.
static INFO: LazyLock<ProviderInfo<'static>> = LazyLock::new(|| {
    let known = decode::<ProviderInfo<'static>>(r#"{"id": "local", "operations": []}"#).value;
    // The text above is a provider's description.
    known.unwrap_or_else(|| std::process::abort())
});

/// A picture of one pixel.
static PICTURE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixel = image::DynamicImage::new_luma8(1, 1);
    // Writing into memory cannot fail.
    let _ = pixel.write_to(&mut bytes, image::ImageFormat::Png);
    bytes.into_inner()
});

/// One prediction.
#[derive(Debug, Clone)]
struct Prediction {
    taken: Millis,
    /// How long it takes; never, if nothing.
    work: Option<Millis>,
    ends: ProviderReport,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Book {
    predictions: BTreeMap<String, Prediction>,
    tokens: BTreeMap<String, Vec<String>>,
}

/// The provider.
#[derive(Debug, Clone)]
pub(super) struct SimProvider {
    world: World,
    book: Arc<Mutex<Book>>,
    /// Whether it takes tokens as keys; otherwise every submission is charged.
    keyed: bool,
}

impl SimProvider {
    pub(super) fn new(world: &World, keyed: bool) -> Self {
        Self { world: world.clone(), book: Arc::default(), keyed }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Charges for each token.
    pub(super) fn charges(&self) -> BTreeMap<String, usize> {
        let book = self.book();
        book.tokens.iter().map(|(token, made)| (token.clone(), made.len())).collect()
    }

    /// It arrives: taken and charged, or refused.
    fn take(&self, token: &str) -> Result<String, ErrorCode> {
        let known = self.book().tokens.get(token).and_then(|made| made.first().cloned());
        if let Some(known) = known.filter(|_| self.keyed) {
            return Ok(known);
        }
        if self.world.trouble() {
            return Err(match self.world.below(4) {
                0 => ErrorCode::ParamInvalid,
                1 => ErrorCode::ProviderRateLimit,
                _ => ErrorCode::ProviderUnavailable,
            });
        }
        let ends = if self.world.trouble() {
            match self.world.below(4) {
                0 => ProviderReport::Failed(ErrorCode::ContentOutputRejected),
                1 => ProviderReport::Failed(ErrorCode::ProviderGeneric),
                2 => ProviderReport::Succeeded { has_output: false },
                _ => ProviderReport::Unknown,
            }
        } else {
            ProviderReport::Succeeded { has_output: true }
        };
        let never = self.world.trouble() && self.world.chance(30);
        let work = Millis::try_from(self.world.below(20_000)).unwrap_or(0);
        let taken = self.world.elapsed();
        let mut book = self.book();
        let id = format!("p{}", book.predictions.len());
        let made = Prediction { taken, work: (!never).then_some(work), ends, stopped: false };
        book.predictions.insert(id.clone(), made);
        book.tokens.entry(token.to_owned()).or_default().push(id.clone());
        Ok(id)
    }

    /// A way there and back, on which an answer may be lost.
    async fn travel(&self) -> Result<(), NoAnswer> {
        self.world.pause(self.world.below(WAY)).await;
        if self.world.trouble() { Err(NoAnswer::new("lost on the way")) } else { Ok(()) }
    }
}

#[async_trait]
impl Provider for SimProvider {
    fn info(&self) -> &ProviderInfo<'static> {
        &INFO
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        if self.world.trouble() && self.world.chance(50) {
            self.world.pause(self.world.below(WAY)).await;
            return Err(SubmitError::Lost("it never arrived".to_owned()));
        }
        let answer: Arc<Mutex<Option<Result<String, ErrorCode>>>> = Arc::default();
        let (own, slot, token) = (self.clone(), Arc::clone(&answer), submission.token.clone());
        let way = self.world.below(WAY);
        // Whoever sent it may be gone when it arrives.
        self.world.spawn(NATURE, async move {
            own.world.pause(way).await;
            let taken = own.take(&token);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        });
        self.world.pause(way + 1 + self.world.below(WAY)).await;
        if self.world.trouble() {
            return Err(SubmitError::Lost("the answer was lost".to_owned()));
        }
        let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match answer {
            Some(Ok(id)) => Ok(id),
            Some(Err(code)) => Err(Refusal::new(code, "as it happens").into()),
            None => Err(SubmitError::Lost("not yet".to_owned())),
        }
    }

    async fn status(&self, _: &Submission, prediction: &str) -> Result<Standing, NoAnswer> {
        self.travel().await?;
        let now = self.world.elapsed();
        let known = self.book().predictions.get(prediction).cloned();
        let Some(known) = known else { return Ok(Standing::unknown("no such prediction")) };
        let is_over = known.work.is_some_and(|work| known.taken + work <= now);
        let standing = if known.stopped {
            Standing::of(ProviderReport::Cancelled { charged: true })
        } else if !is_over {
            Standing::of(ProviderReport::Running)
        } else if known.ends == (ProviderReport::Succeeded { has_output: true }) {
            Standing::made([prediction.to_owned()])
        } else {
            Standing::of(known.ends)
        };
        self.travel().await?;
        Ok(standing)
    }

    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer> {
        self.travel().await?;
        let now = self.world.elapsed();
        let found = {
            let book = self.book();
            let first = book.tokens.get(&submission.token).and_then(|made| made.first());
            first.cloned().filter(|id| {
                let lag = Millis::try_from(if self.keyed { 0 } else { LAG }).unwrap_or(0);
                book.predictions.get(id).is_some_and(|known| known.taken + lag <= now)
            })
        };
        self.travel().await?;
        Ok(found.map_or(Found::NotThere, Found::Prediction))
    }

    fn visibility(&self) -> Duration {
        // What was sent at the last moment arrives after its way, and shows after the lag.
        Duration::from_millis(if self.keyed { 0 } else { WAY + LAG })
    }

    async fn cancel(&self, _: &Submission, prediction: &str) -> Result<(), NoAnswer> {
        self.travel().await?;
        let now = self.world.elapsed();
        if let Some(known) = self.book().predictions.get_mut(prediction)
            && known.work.is_none_or(|work| known.taken + work > now)
        {
            known.stopped = true;
        }
        Ok(())
    }

    async fn fetch(&self, _: &Submission, _: &Output) -> Result<Vec<u8>, NoAnswer> {
        self.travel().await?;
        if self.world.trouble() {
            return Ok(b"no picture".to_vec());
        }
        Ok(PICTURE.clone())
    }
}
