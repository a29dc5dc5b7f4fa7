//! What is kept as an answer: statistics, and rows that shall be none any more.

use std::collections::BTreeMap;

use onepath_core::{GenerateContentRequest, decode, parse_cache_key};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Caller, Service};
use crate::clock::rfc3339;
use crate::problem::{Fault, Problem};
use crate::store::{Answer, AnswerCount, Kept, Role, StoreError};
use crate::telemetry::Window;

/// Rows that are looked at in one step.
const STEP: usize = 500;

/// Ids that an answer lists.
const LISTED: usize = 100;

/// How the creates of a tenant were answered.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CacheStats {
    /// How far back is looked.
    pub window: Window,
    /// Since when.
    pub since: String,
    /// All of them.
    #[serde(flatten)]
    pub all: AnswerStats,
    /// By strategy.
    pub strategies: BTreeMap<String, AnswerStats>,
}

/// Creates by how they were answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct AnswerStats {
    /// From the slot of their key.
    pub hits: i64,
    /// By the owner's own row with the same hash.
    pub hash_hits: i64,
    /// By a run that was on its way.
    pub joins: i64,
    /// By a new run.
    pub misses: i64,
    /// Answered without a run, of all; absent while there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_rate: Option<f64>,
    /// What runs would have cost that were not needed, in micro-dollars.
    pub saved_micros: i64,
}

/// Which rows shall answer no create any more: those that all given members name.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvalidateBody {
    /// Cache keys, as `onepath fingerprint` and answers tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_keys: Option<Vec<String>>,
    /// A scene that they lead from or to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_id: Option<String>,
    /// The template of their prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_id: Option<String>,
    /// The version of that template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_version_id: Option<String>,
    /// Says what it would do, and does nothing.
    #[serde(default)]
    pub preview: bool,
}

/// What was, or would be, invalidated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InvalidateResponse {
    /// How many rows.
    pub count: u64,
    /// Their ids, the first hundred.
    pub generation_ids: Vec<String>,
    /// What it costs to make all of them again, in micro-dollars, as far as prices are known.
    pub price_micros: i64,
    /// Rows whose price is not known.
    pub without_price: u64,
    /// Whether nothing was done.
    pub preview: bool,
}

impl AnswerStats {
    fn add(&mut self, line: &AnswerCount) {
        match line.answer {
            Answer::Cache => self.hits += line.count,
            Answer::Hash => self.hash_hits += line.count,
            Answer::Joined => self.joins += line.count,
            Answer::Created => self.misses += line.count,
        }
        self.saved_micros += line.saved_micros;
        let spared = self.hits + self.hash_hits + self.joins;
        #[allow(clippy::cast_precision_loss, reason = "counts of creates")]
        if spared + self.misses > 0 {
            self.hit_rate = Some(spared as f64 / (spared + self.misses) as f64);
        }
    }
}

impl Service {
    /// Gives the store what was counted since the last time.
    ///
    /// # Errors
    ///
    /// The store does not answer; what was counted is kept for the next time.
    pub async fn flush_answers(&self) -> Result<(), StoreError> {
        let counts = self.tally.take();
        if counts.is_empty() {
            return Ok(());
        }
        let added = self.store.add_answers(&counts).await;
        if added.is_err() {
            self.tally.put_back(counts);
        }
        added
    }

    /// How the creates of the caller's tenant were answered.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn cache_stats(
        &self,
        caller: &Caller,
        window: Window,
    ) -> Result<CacheStats, Problem> {
        self.flush_answers().await?;
        let since = self.clock.now() - window.millis();
        let mut all = AnswerStats::default();
        let mut strategies: BTreeMap<String, AnswerStats> = BTreeMap::new();
        for line in self.store.answers(&caller.reader.tenant, since).await? {
            all.add(&line);
            strategies.entry(line.strategy.word().to_owned()).or_default().add(&line);
        }
        Ok(CacheStats { window, since: rfc3339(since), all, strategies })
    }

    /// Rows that shall answer no create any more: a user's own, or a tenant's for keys with the
    /// role `backend`. Runs that are on their way stay.
    ///
    /// # Errors
    ///
    /// `VALIDATION_ERROR` if nothing is named, or a key is none; the store does not answer.
    pub async fn invalidate(
        &self,
        caller: &Caller,
        body: &InvalidateBody,
    ) -> Result<InvalidateResponse, Problem> {
        check(body)?;
        let (tenant, now) = (&caller.reader.tenant, self.clock.now());
        let owner = (caller.role == Role::User).then_some(caller.reader.user.as_str());
        let mut response = InvalidateResponse {
            count: 0,
            generation_ids: Vec::new(),
            price_micros: 0,
            without_price: 0,
            preview: body.preview,
        };
        let mut after = String::new();
        loop {
            let rows = self.store.kept(tenant, owner, now, &after, STEP).await?;
            let Some(last) = rows.last() else {
                self.answers.forget(tenant);
                return Ok(response);
            };
            after.clone_from(&last.id);
            let named: Vec<&Kept> = rows.iter().filter(|row| body.names(row)).collect();
            let ids: Vec<String> = named.iter().map(|row| row.id.clone()).collect();
            response.count += if body.preview {
                u64::try_from(ids.len()).unwrap_or(0)
            } else if ids.is_empty() {
                0
            } else {
                self.store.invalidate(tenant, owner, &ids, now).await?
            };
            for row in named {
                match row.price_micros {
                    Some(price) => response.price_micros += price,
                    None => response.without_price += 1,
                }
            }
            let room = LISTED.saturating_sub(response.generation_ids.len());
            response.generation_ids.extend(ids.into_iter().take(room));
        }
    }
}

fn check(body: &InvalidateBody) -> Result<(), Problem> {
    let names = body.cache_keys.as_ref().is_some_and(|keys| !keys.is_empty())
        || [&body.scene_id, &body.template_id, &body.template_version_id]
            .iter()
            .any(|name| name.is_some());
    if !names {
        let detail = "name what is invalidated: cache_keys, scene_id, template_id or \
                      template_version_id";
        return Err(Problem::faults(vec![Fault::new("", "cache/nothing-named", detail)]));
    }
    let keys = body.cache_keys.as_deref().unwrap_or_default();
    let broken = keys.iter().enumerate().filter_map(|(index, key)| {
        let error = parse_cache_key(key).err()?;
        Some(Fault::new(&format!("/cache_keys/{index}"), "cache/not-a-key", error.to_string()))
    });
    let broken: Vec<Fault> = broken.collect();
    if broken.is_empty() { Ok(()) } else { Err(Problem::faults(broken)) }
}

impl InvalidateBody {
    fn names(&self, row: &Kept) -> bool {
        let by_key = self
            .cache_keys
            .as_ref()
            .is_none_or(|keys| row.cache_key.as_ref().is_some_and(|key| keys.contains(key)));
        if !by_key {
            return false;
        }
        if self.scene_id.is_none()
            && self.template_id.is_none()
            && self.template_version_id.is_none()
        {
            return true;
        }
        let Some(request) = decode::<GenerateContentRequest<'_>>(&row.request).value else {
            return false;
        };
        let scene = |wanted: &str| {
            [&request.from_scene, &request.to_scene]
                .into_iter()
                .flatten()
                .any(|scene| scene.id.as_str() == wanted)
        };
        let template = request.template.as_ref();
        let id = template.and_then(|template| template.id.as_ref()).map(|id| id.as_str());
        let version = template.and_then(|template| template.version_id.as_ref());
        let version = version.map(|version| version.as_str());
        self.scene_id.as_deref().is_none_or(scene)
            && self.template_id.as_deref().is_none_or(|wanted| id == Some(wanted))
            && self.template_version_id.as_deref().is_none_or(|wanted| version == Some(wanted))
    }
}
