//! Prompts and terms.

use async_trait::async_trait;

use super::super::prompts::{
    Added, NewVersion, PromptFamily, PromptStore, PromptUse, PromptVersion, Which,
};
use super::super::sql::prompts;
use super::super::{Millis, Result};
use super::{Local, SqliteStore, at_once};

#[async_trait]
impl PromptStore for SqliteStore {
    async fn add_version(&self, new: NewVersion) -> Result<Added> {
        write!(self, |tx| prompts::add(tx, &new))
    }

    async fn put_family(&self, family: PromptFamily) -> Result<bool> {
        write!(self, |tx| prompts::put_family(tx, &family))
    }

    async fn families(
        &self,
        tenant: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(PromptFamily, PromptVersion)>> {
        let (tenant, after) = (tenant.to_owned(), after.to_owned());
        read!(self, |tx| prompts::families(tx, &tenant, &after, limit))
    }

    async fn prompt(
        &self,
        tenant: &str,
        family: &str,
        which: Which<'_>,
    ) -> Result<Option<(PromptFamily, PromptVersion)>> {
        let (tenant, family) = (tenant.to_owned(), family.to_owned());
        match which {
            Which::Id(id) => {
                let id = id.to_owned();
                read!(self, |tx| prompts::prompt(tx, &tenant, &family, Which::Id(&id)))
            }
            Which::Number(number) => {
                read!(self, |tx| prompts::prompt(tx, &tenant, &family, Which::Number(number)))
            }
            Which::Latest => {
                read!(self, |tx| prompts::prompt(tx, &tenant, &family, Which::Latest))
            }
        }
    }

    async fn prompt_version(&self, tenant: &str, id: &str) -> Result<Option<PromptVersion>> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        read!(self, |tx| prompts::by_id(tx, &tenant, &id))
    }

    async fn prompts_with(&self, tenant: &str, content_hash: &str) -> Result<Vec<PromptVersion>> {
        let (tenant, hash) = (tenant.to_owned(), content_hash.to_owned());
        read!(self, |tx| prompts::with_content(tx, &tenant, &hash))
    }

    async fn versions(
        &self,
        tenant: &str,
        family: &str,
        before: i64,
        limit: usize,
    ) -> Result<Vec<PromptVersion>> {
        let (tenant, family) = (tenant.to_owned(), family.to_owned());
        read!(self, |tx| prompts::of_family(tx, &tenant, &family, before, limit))
    }

    async fn prompt_uses(
        &self,
        tenant: &str,
        family: &str,
        since: Millis,
    ) -> Result<Vec<PromptUse>> {
        let (tenant, family) = (tenant.to_owned(), family.to_owned());
        read!(self, |tx| prompts::uses(tx, &tenant, &family, since))
    }

    async fn put_terms(&self, tenant: &str, terms: Option<String>, now: Millis) -> Result<()> {
        let tenant = tenant.to_owned();
        write!(self, |tx| prompts::put_terms(tx, &tenant, terms.as_deref(), now))
    }

    async fn terms(&self, tenant: &str) -> Result<Option<String>> {
        let tenant = tenant.to_owned();
        read!(self, |tx| prompts::terms(tx, &tenant))
    }
}
