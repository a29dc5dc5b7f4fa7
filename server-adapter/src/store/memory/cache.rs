//! Reuse, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use onepath_core::Strategy;

use super::super::{AnswerCount, CacheStore, Kept, Millis, Result, Row};
use super::MemoryStore;

fn is_kept(row: &Row, tenant: &str, owner: Option<&str>, now: Millis) -> bool {
    row.tenant == tenant
        && owner.is_none_or(|owner| row.owner == owner)
        && row.is_complete()
        && row.deleted_at.is_none()
        && row.asked.strategy != Strategy::Always
        && row.expires_at.is_none_or(|at| at > now)
}

#[async_trait]
impl CacheStore for MemoryStore {
    async fn kept(
        &self,
        tenant: &str,
        owner: Option<&str>,
        now: Millis,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Kept>> {
        let tables = self.tables();
        let rows = tables.rows.values().filter(|row| is_kept(row, tenant, owner, now));
        let behind = rows.filter(|row| row.id.as_str() > after).take(limit);
        let kept = behind.map(|row| Kept {
            id: row.id.clone(),
            cache_key: row.reuse_key.clone(),
            request: row.asked.request.clone(),
            price_micros: row.asked.price_micros,
        });
        Ok(kept.collect())
    }

    async fn invalidate(
        &self,
        tenant: &str,
        owner: Option<&str>,
        ids: &[String],
        now: Millis,
    ) -> Result<u64> {
        let mut tables = self.tables();
        let mut count = 0;
        for id in ids {
            let row = tables.rows.get_mut(id);
            if let Some(row) = row.filter(|row| is_kept(row, tenant, owner, now)) {
                row.reuse_key = None;
                row.expires_at = Some(now);
                row.updated_at = now;
                count += 1;
            }
        }
        Ok(count)
    }

    async fn add_answers(&self, counts: &[AnswerCount]) -> Result<()> {
        let mut tables = self.tables();
        for line in counts {
            let place =
                (line.minute, line.tenant.clone(), line.strategy.word(), line.answer.word());
            let known = tables.answers.entry(place).or_insert_with(|| AnswerCount {
                count: 0,
                saved_micros: 0,
                ..line.clone()
            });
            known.count += line.count;
            known.saved_micros += line.saved_micros;
        }
        Ok(())
    }

    async fn answers(&self, tenant: &str, since: Millis) -> Result<Vec<AnswerCount>> {
        let tables = self.tables();
        let mut sums: BTreeMap<(&str, &str), AnswerCount> = BTreeMap::new();
        for line in tables.answers.values() {
            if line.tenant == tenant && line.minute >= since {
                let sum =
                    sums.entry((line.strategy.word(), line.answer.word())).or_insert_with(|| {
                        AnswerCount { minute: since, count: 0, saved_micros: 0, ..line.clone() }
                    });
                sum.count += line.count;
                sum.saved_micros += line.saved_micros;
            }
        }
        Ok(sums.into_values().collect())
    }

    async fn forget_answers(&self, before: Millis) -> Result<u64> {
        let mut tables = self.tables();
        let count = tables.answers.len();
        tables.answers.retain(|(minute, ..), _| *minute >= before);
        Ok(u64::try_from(count - tables.answers.len()).unwrap_or(0))
    }
}
