//! What operators change while everything runs: names and values in one table, rows in the store,
//! and what every process has read of them a moment ago.

mod value;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use onepath_core::Operation;
use onepath_core::lifecycle::{ErrorCode, UnknownPolicy};

use crate::clock::SharedClock;
use crate::limit::Rate;
use crate::store::{Budgets, Limits, Millis, Setting, Stop, Store, StoreError};

pub use value::{Known, NAMES, NamedSetting, Subject, Value, WrongSetting, name, read, stops};

/// How long what was read is believed: a change is seen everywhere within this time.
const BELIEVED: Millis = 2_000;

/// What operators have changed, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Live {
    all: Vec<(NamedSetting, Value, Setting)>,
}

/// Why a generation is not begun.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Paused {
    /// What an operator has stopped: `tenant`, `provider`, or `submission` of one or of all.
    pub by: &'static str,
    /// Why, in their words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when (RFC 3339).
    pub since: String,
}

impl Live {
    /// From the rows of a store. A row that this program does not understand is passed over: a newer
    /// one may have written it.
    #[must_use]
    pub fn of(rows: Vec<Setting>) -> Self {
        let understood = rows.into_iter().filter_map(|row| {
            let value = serde_json::from_str(row.value.as_deref()?).ok()?;
            match read(&row.name, &value) {
                Ok((name, value)) => Some((name, value, row)),
                Err(error) => {
                    tracing::warn!(%error, name = row.name, "a setting is passed over");
                    None
                }
            }
        });
        Self { all: understood.collect() }
    }

    fn find(&self, word: &str, subject: Option<&str>) -> Option<&Value> {
        let found = self
            .all
            .iter()
            .find(|(name, ..)| name.word == word && name.subject.as_deref() == subject);
        found.map(|(_, value, _)| value)
    }

    fn is_on(&self, word: &str, subject: Option<&str>) -> bool {
        !matches!(self.find(word, subject), Some(Value::Switch(false)))
    }

    fn whole(&self, word: &str, subject: Option<&str>) -> Option<i64> {
        match self.find(word, subject) {
            Some(Value::Whole(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether a provider takes what is new.
    #[must_use]
    pub fn takes(&self, provider: &str) -> bool {
        self.is_on("provider", Some(provider))
    }

    /// Whether a provider is asked how things stand without having said something.
    #[must_use]
    pub fn polls(&self, provider: &str) -> bool {
        self.is_on("polling", None) && self.is_on("polling", Some(provider))
    }

    /// Whether a provider is asked to report, and is listened to.
    #[must_use]
    pub fn hears(&self, provider: &str) -> bool {
        self.is_on("webhooks", None) && self.is_on("webhooks", Some(provider))
    }

    /// How often errors may cause a further attempt.
    #[must_use]
    pub fn budgets(&self) -> Budgets {
        let own = self.all.iter().filter_map(|(name, value, _)| match value {
            Value::Whole(number) if name.word == "retry" => {
                let code = ErrorCode::parse(name.subject.as_deref()?)?;
                Some((code, u32::try_from(*number).ok()?))
            }
            _ => None,
        });
        Budgets::new(own.collect())
    }

    /// Attempts that a run may spend.
    #[must_use]
    pub fn attempts(&self) -> Option<u32> {
        self.whole("attempts", None).and_then(|number| u32::try_from(number).ok())
    }

    /// What becomes of a submission of which nothing was heard until its deadline.
    #[must_use]
    pub fn unknown(&self) -> Option<UnknownPolicy> {
        match self.find("submit_unknown", None) {
            Some(Value::Unknown(policy)) => Some(*policy),
            _ => None,
        }
    }

    /// What a run of an operation reserves whose price is not known, in micro-dollars.
    #[must_use]
    pub fn ceiling(&self, operation: Operation) -> Option<i64> {
        self.whole("ceiling", Some(operation.word())).or_else(|| self.whole("ceiling", None))
    }

    /// What a price buys.
    #[must_use]
    pub fn plan(&self, price: &str) -> Option<Limits> {
        match self.find("plan", Some(price)) {
            Some(Value::Plan(limits)) => Some(*limits),
            _ => None,
        }
    }

    /// How often a key may call (`calls`) or start runs (`creates`); `Some(None)` is as often as it
    /// wants.
    #[must_use]
    pub fn rate(&self, what: &str) -> Option<Option<Rate>> {
        match self.find("rate", Some(what)) {
            Some(Value::Rate(rate)) => Some(*rate),
            _ => None,
        }
    }

    /// When the job addresses of the system before end.
    #[must_use]
    pub fn jobs_sunset(&self) -> Option<Millis> {
        match self.find("jobs_sunset", None) {
            Some(Value::Time(at)) => Some(*at),
            _ => None,
        }
    }

    /// Why nothing of a tenant, or at a provider, is begun; none if it is.
    #[must_use]
    pub fn paused(&self, tenant: &str, provider: &str) -> Option<Paused> {
        let covers = |stop: &Stop| stop.covers(tenant, provider);
        let (name, value, row) =
            self.all.iter().find(|(.., row)| row.stops.as_ref().is_some_and(covers))?;
        Some(Paused {
            by: match name.word {
                "pause_tenant" => "tenant",
                "submission" => "submission",
                _ => "provider",
            },
            reason: match value {
                Value::Text(reason) => Some(reason.clone()),
                _ => None,
            },
            since: crate::clock::rfc3339(row.at),
        })
    }
}

/// What this process has read of the settings, and when.
#[derive(Debug)]
pub struct LiveSettings {
    store: Arc<dyn Store>,
    clock: SharedClock,
    read: RwLock<(Arc<Live>, Option<Millis>)>,
    reading: AtomicBool,
}

impl LiveSettings {
    /// Of a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: SharedClock) -> Self {
        Self { store, clock, read: RwLock::default(), reading: AtomicBool::new(false) }
    }

    /// As they were read last; as the server was set up before they were ever read.
    #[must_use]
    pub fn last(&self) -> Arc<Live> {
        Arc::clone(&self.read.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// As they are, or were a moment ago.
    ///
    /// # Errors
    ///
    /// The store does not answer, and they were never read.
    pub async fn now(&self) -> Result<Arc<Live>, StoreError> {
        let (live, read_at) = {
            let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
            (Arc::clone(&read.0), read.1)
        };
        let Some(read_at) = read_at else { return self.again().await };
        let age = self.clock.now() - read_at;
        if (0..BELIEVED).contains(&age) || self.reading.swap(true, Ordering::Acquire) {
            // Somebody else reads them at this moment.
            return Ok(live);
        }
        let reading = Reading(&self.reading);
        let again = self.again().await;
        drop(reading);
        // Whoever stopped something finds it stopped, also while the store is away.
        Ok(again.unwrap_or_else(|error| {
            tracing::warn!(%error, "settings are as they were read last");
            live
        }))
    }

    /// As they are: read again.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn again(&self) -> Result<Arc<Live>, StoreError> {
        let read_at = self.clock.now();
        let live = Arc::new(Live::of(self.store.settings().await?));
        *self.read.write().unwrap_or_else(PoisonError::into_inner) =
            (Arc::clone(&live), Some(read_at));
        Ok(live)
    }
}

/// Says that nobody reads any more, also when the reader is dropped on its way.
struct Reading<'r>(&'r AtomicBool);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
