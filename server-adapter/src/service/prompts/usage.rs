//! What versions came to: how their runs ended, and what moderation said.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::no_family;
use super::view::{SplitView, split};
use crate::clock::rfc3339;
use crate::problem::Problem;
use crate::service::{Caller, Service};
use crate::store::prompts::{PromptUse, Which};
use crate::store::{Millis, RunEnd};

/// How runs ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PromptOutcomes {
    /// Made.
    pub completed: i64,
    /// Something stands in for them.
    pub fallback: i64,
    /// Not made.
    pub failed: i64,
    /// Nobody wanted them any more.
    pub cancelled: i64,
}

/// What a version came to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VersionUsage {
    /// The version.
    pub version_id: String,
    /// Runs that ended.
    pub runs: i64,
    /// How they ended.
    pub outcomes: PromptOutcomes,
    /// Made, of those that were not cancelled; absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// Runs by what moderation refused: `content_prompt_rejected`, `content_image_rejected`,
    /// `content_output_rejected`, `content_filtered`.
    pub moderation: BTreeMap<String, i64>,
    /// Runs by everything else that they ran into.
    pub errors: BTreeMap<String, i64>,
    /// What they cost together, in micro-dollars.
    pub micros: i64,
}

/// What the versions of a family came to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PromptUsage {
    /// The family.
    pub family_id: String,
    /// Since when runs are counted (RFC 3339); from the beginning if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Versions with runs, by id.
    pub versions: Vec<VersionUsage>,
    /// How versions share now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitView>,
    /// The versions that share, since they do; one without runs has zeros.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arms: Option<Vec<VersionUsage>>,
}

impl VersionUsage {
    fn of(version_id: &str) -> Self {
        Self {
            version_id: version_id.to_owned(),
            runs: 0,
            outcomes: PromptOutcomes::default(),
            success_rate: None,
            moderation: BTreeMap::new(),
            errors: BTreeMap::new(),
            micros: 0,
        }
    }

    fn add(&mut self, line: &PromptUse) {
        self.runs += line.runs;
        self.micros += line.micros;
        let slot = match line.end {
            RunEnd::Completed => &mut self.outcomes.completed,
            RunEnd::Fallback => &mut self.outcomes.fallback,
            RunEnd::Failed => &mut self.outcomes.failed,
            RunEnd::Cancelled => &mut self.outcomes.cancelled,
        };
        *slot += line.runs;
        if let Some(error) = line.error.filter(|_| line.end != RunEnd::Cancelled) {
            let word = error.word();
            let kinds =
                if word.starts_with("content_") { &mut self.moderation } else { &mut self.errors };
            *kinds.entry(word.to_owned()).or_default() += line.runs;
        }
        let counted = self.runs - self.outcomes.cancelled;
        #[allow(clippy::cast_precision_loss, reason = "a rate of counts")]
        let rate = (counted > 0).then(|| self.outcomes.completed as f64 / counted as f64);
        self.success_rate = rate;
    }
}

fn sum(lines: &[PromptUse]) -> Vec<VersionUsage> {
    let mut versions: BTreeMap<&str, VersionUsage> = BTreeMap::new();
    for line in lines {
        let slot = versions.entry(&line.version).or_insert_with(|| VersionUsage::of(&line.version));
        slot.add(line);
    }
    versions.into_values().collect()
}

impl Service {
    /// What the versions of a family came to since a time.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    pub async fn prompt_usage(
        &self,
        caller: &Caller,
        family: &str,
        since: Option<Millis>,
    ) -> Result<PromptUsage, Problem> {
        let tenant = &caller.reader.tenant;
        let found = self.store.prompt(tenant, family, Which::Latest).await?;
        let (known, _) = found.ok_or_else(no_family)?;
        let lines = self.store.prompt_uses(tenant, family, since.unwrap_or(0)).await?;
        let split = split(&known)?;
        let arms = match &split {
            Some(split) => {
                let lines = self.store.prompt_uses(tenant, family, split.started_at).await?;
                let counted = sum(&lines);
                let arm = |id: &str| {
                    let of = counted.iter().find(|usage| usage.version_id == id);
                    of.cloned().unwrap_or_else(|| VersionUsage::of(id))
                };
                Some(split.arms.iter().map(|one| arm(&one.version_id)).collect())
            }
            None => None,
        };
        Ok(PromptUsage {
            family_id: known.id,
            since: since.map(rfc3339),
            versions: sum(&lines),
            split: split.as_ref().map(SplitView::from),
            arms,
        })
    }
}
