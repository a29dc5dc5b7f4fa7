//! Webhooks of providers, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::super::webhooks::{Door, Taken, Target, Told, WebhookStore, hinted};
use super::super::{Millis, Result};
use super::{MemoryStore, Tables};

/// What is kept of webhooks.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    doors: BTreeMap<String, Door>,
    receipts: BTreeMap<(String, String), Told>,
}

impl Tables {
    fn target(&self, generation: &str, attempt: i64, provider: &str) -> Option<Target> {
        let row = self.rows.get(generation)?.clone();
        Some(Target { row, attempt, provider: provider.to_owned() })
    }

    fn is_over(&self, generation: &str) -> bool {
        self.rows.get(generation).is_some_and(|row| row.state.is_terminal())
    }
}

#[async_trait]
impl WebhookStore for MemoryStore {
    async fn open_door(&self, door: Door) -> Result<()> {
        self.tables().webhooks.doors.entry(door.hash.clone()).or_insert(door);
        Ok(())
    }

    async fn behind_door(&self, hash: &str) -> Result<Option<Target>> {
        let tables = self.tables();
        let door = tables.webhooks.doors.get(hash);
        Ok(door.and_then(|door| tables.target(&door.generation, door.attempt, &door.provider)))
    }

    async fn by_prediction(&self, provider: &str, prediction: &str) -> Result<Option<Target>> {
        let tables = self.tables();
        let all = tables.attempts.iter().flat_map(|(id, attempts)| {
            attempts.iter().map(move |attempt| (attempt.submitted_at, id, attempt))
        });
        let named = all.filter(|(_, _, attempt)| {
            attempt.provider == provider && attempt.prediction.as_deref() == Some(prediction)
        });
        let last = named.max_by_key(|(at, ..)| *at);
        Ok(last.and_then(|(_, id, attempt)| tables.target(id, attempt.number, provider)))
    }

    async fn take_webhook(&self, told: Told) -> Result<Taken> {
        let mut tables = self.tables();
        let key = (told.provider.clone(), told.delivery.clone());
        if tables.webhooks.receipts.contains_key(&key) {
            return Ok(Taken::Known);
        }
        let row = tables.rows.get(&told.generation);
        let Some(row) = row.and_then(|row| hinted(row, told.attempt, told.at)) else {
            return Ok(Taken::TooLate);
        };
        tables.rows.insert(row.id.clone(), row);
        tables.webhooks.receipts.insert(key, told);
        Ok(Taken::New)
    }

    async fn prediction_told(&self, generation: &str, attempt: i64) -> Result<Option<String>> {
        let tables = self.tables();
        let of = |told: &&Told| told.generation == generation && told.attempt == attempt;
        let all = tables.webhooks.receipts.values().filter(of);
        Ok(all.min_by_key(|told| (told.at, &told.delivery)).map(|told| told.prediction.clone()))
    }

    async fn forget_webhooks(&self, before: Millis) -> Result<u64> {
        let mut tables = self.tables();
        let mut kept = std::mem::take(&mut tables.webhooks);
        let count = kept.doors.len() + kept.receipts.len();
        kept.doors.retain(|_, door| door.opened_at >= before || !tables.is_over(&door.generation));
        kept.receipts.retain(|_, told| told.at >= before || !tables.is_over(&told.generation));
        let left = kept.doors.len() + kept.receipts.len();
        tables.webhooks = kept;
        Ok((count - left) as u64)
    }
}
