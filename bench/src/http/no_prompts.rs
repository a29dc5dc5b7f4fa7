//! The prompts of a store that keeps nothing.

use async_trait::async_trait;
use onepath_server::store::prompts::{
    Added, NewVersion, PromptFamily, PromptUse, PromptVersion, Which,
};
use onepath_server::store::{Millis, PromptStore, Result};

use super::no_store::NoStore;

#[async_trait]
impl PromptStore for NoStore {
    async fn add_version(&self, _: NewVersion) -> Result<Added> {
        Ok(Added::NoFamily)
    }

    async fn put_family(&self, _: PromptFamily) -> Result<bool> {
        Ok(false)
    }

    async fn families(
        &self,
        _: &str,
        _: &str,
        _: usize,
    ) -> Result<Vec<(PromptFamily, PromptVersion)>> {
        Ok(Vec::new())
    }

    async fn prompt(
        &self,
        _: &str,
        _: &str,
        _: Which<'_>,
    ) -> Result<Option<(PromptFamily, PromptVersion)>> {
        Ok(None)
    }

    async fn prompt_version(&self, _: &str, _: &str) -> Result<Option<PromptVersion>> {
        Ok(None)
    }

    async fn prompts_with(&self, _: &str, _: &str) -> Result<Vec<PromptVersion>> {
        Ok(Vec::new())
    }

    async fn versions(&self, _: &str, _: &str, _: i64, _: usize) -> Result<Vec<PromptVersion>> {
        Ok(Vec::new())
    }

    async fn prompt_uses(&self, _: &str, _: &str, _: Millis) -> Result<Vec<PromptUse>> {
        Ok(Vec::new())
    }

    async fn put_terms(&self, _: &str, _: Option<String>, _: Millis) -> Result<()> {
        Ok(())
    }

    async fn terms(&self, _: &str) -> Result<Option<String>> {
        Ok(None)
    }
}
