//! Prompts and terms, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::super::prompts::{
    Added, NewVersion, PromptFamily, PromptStore, PromptUse, PromptVersion, Which,
};
use super::super::row::Row;
use super::super::sql::prompts::order;
use super::super::telemetry::EndedRun;
use super::super::{Millis, Result};
use super::MemoryStore;

/// What is kept of prompts.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    families: BTreeMap<(String, String), PromptFamily>,
    versions: BTreeMap<(String, String), PromptVersion>,
    /// Tenant, family and when, beside what it counts as.
    runs: Vec<(String, String, Millis, PromptUse)>,
    terms: BTreeMap<String, String>,
}

impl Prompts {
    fn of<'p>(
        &'p self,
        tenant: &'p str,
        family: &'p str,
    ) -> impl Iterator<Item = &'p PromptVersion> {
        let all = self.versions.values();
        all.filter(move |version| version.tenant == tenant && version.family == family)
    }

    /// Counts a run that ended, if its prompt is a version that is kept.
    pub(super) fn ended(&mut self, row: &Row, run: &EndedRun) {
        let Some(version) = &run.prompt else { return };
        let place = (row.tenant.clone(), version.clone());
        let Some(version) = self.versions.get(&place) else { return };
        let counted = PromptUse {
            version: version.id.clone(),
            end: run.end,
            error: run.error,
            runs: 1,
            micros: run.micros,
        };
        let family = version.family.clone();
        self.runs.push((row.tenant.clone(), family, row.updated_at, counted));
    }
}

#[async_trait]
impl PromptStore for MemoryStore {
    async fn add_version(&self, new: NewVersion) -> Result<Added> {
        let kept = &mut self.tables().prompts;
        let wanted = &new.version;
        if new.family.is_some() && wanted.parent.is_some() {
            return Ok(Added::NoParent);
        }
        let place = (wanted.tenant.clone(), wanted.family.clone());
        let known = kept.families.get(&place).cloned();
        let same = kept
            .of(&wanted.tenant, &wanted.family)
            .find(|version| version.content_hash == wanted.content_hash)
            .cloned();
        let family = match (known, same, &new.family) {
            (Some(family), Some(version), _) => return Ok(Added::Same(family, version)),
            (Some(_), None, Some(_)) => return Ok(Added::Taken),
            (Some(family), None, None) => family,
            (None, _, Some(family)) => PromptFamily { latest: 0, ..family.clone() },
            (None, _, None) => return Ok(Added::NoFamily),
        };
        if let Some(parent) = &wanted.parent
            && !kept.of(&wanted.tenant, &wanted.family).any(|version| version.id == *parent)
        {
            return Ok(Added::NoParent);
        }
        let (family, version) = new.numbered(family);
        kept.families.insert(place, family.clone());
        kept.versions.insert((version.tenant.clone(), version.id.clone()), version.clone());
        Ok(Added::New(family, version))
    }

    async fn put_family(&self, family: PromptFamily) -> Result<bool> {
        let kept = &mut self.tables().prompts;
        let place = (family.tenant.clone(), family.id.clone());
        let Some(known) = kept.families.get_mut(&place) else { return Ok(false) };
        let (latest, created_at) = (known.latest, known.created_at);
        *known = PromptFamily { latest, created_at, ..family };
        Ok(true)
    }

    async fn families(
        &self,
        tenant: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(PromptFamily, PromptVersion)>> {
        let tables = self.tables();
        let kept = &tables.prompts;
        let of = |family: &&PromptFamily| family.tenant == tenant && family.id.as_str() > after;
        let latest = |family: &PromptFamily| {
            let mut versions = kept.of(tenant, &family.id);
            let version = versions.find(|version| version.number == family.latest)?;
            Some((family.clone(), version.clone()))
        };
        Ok(kept.families.values().filter(of).filter_map(latest).take(limit).collect())
    }

    async fn prompt(
        &self,
        tenant: &str,
        family: &str,
        which: Which<'_>,
    ) -> Result<Option<(PromptFamily, PromptVersion)>> {
        let tables = self.tables();
        let kept = &tables.prompts;
        let place = (tenant.to_owned(), family.to_owned());
        let Some(known) = kept.families.get(&place) else { return Ok(None) };
        let version = kept.of(tenant, family).find(|version| match which {
            Which::Latest => version.number == known.latest,
            Which::Number(number) => version.number == number,
            Which::Id(id) => version.id == id,
        });
        Ok(version.map(|version| (known.clone(), version.clone())))
    }

    async fn prompt_version(&self, tenant: &str, id: &str) -> Result<Option<PromptVersion>> {
        let place = (tenant.to_owned(), id.to_owned());
        Ok(self.tables().prompts.versions.get(&place).cloned())
    }

    async fn prompts_with(&self, tenant: &str, content_hash: &str) -> Result<Vec<PromptVersion>> {
        let tables = self.tables();
        let all = tables.prompts.versions.values();
        let same =
            all.filter(|version| version.tenant == tenant && version.content_hash == content_hash);
        let mut same: Vec<PromptVersion> = same.cloned().collect();
        same.sort_by(|a, b| a.family.cmp(&b.family));
        same.truncate(100);
        Ok(same)
    }

    async fn versions(
        &self,
        tenant: &str,
        family: &str,
        before: i64,
        limit: usize,
    ) -> Result<Vec<PromptVersion>> {
        let tables = self.tables();
        let older = tables.prompts.of(tenant, family).filter(|version| version.number < before);
        let mut older: Vec<PromptVersion> = older.cloned().collect();
        older.sort_by_key(|version| std::cmp::Reverse(version.number));
        older.truncate(limit);
        Ok(older)
    }

    async fn prompt_uses(
        &self,
        tenant: &str,
        family: &str,
        since: Millis,
    ) -> Result<Vec<PromptUse>> {
        let tables = self.tables();
        let mut uses: Vec<PromptUse> = Vec::new();
        for (of, its, at, counted) in &tables.prompts.runs {
            if of != tenant || its != family || *at < since {
                continue;
            }
            match uses.iter_mut().find(|known| order(known) == order(counted)) {
                Some(known) => {
                    known.runs += counted.runs;
                    known.micros += counted.micros;
                }
                None => uses.push(counted.clone()),
            }
        }
        uses.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok(uses)
    }

    async fn put_terms(&self, tenant: &str, terms: Option<String>, _: Millis) -> Result<()> {
        let kept = &mut self.tables().prompts.terms;
        match terms {
            Some(terms) => kept.insert(tenant.to_owned(), terms),
            None => kept.remove(tenant),
        };
        Ok(())
    }

    async fn terms(&self, tenant: &str) -> Result<Option<String>> {
        Ok(self.tables().prompts.terms.get(tenant).cloned())
    }
}
