//! Prompts that a tenant keeps: families of numbered versions that never change, and its terms.

use async_trait::async_trait;
use onepath_core::lifecycle::ErrorCode;

use super::telemetry::RunEnd;
use super::{Millis, Result};

/// A family of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptFamily {
    /// The wall it lies behind.
    pub tenant: String,
    /// By which configs name it, unique within the tenant.
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The number of its newest version.
    pub latest: i64,
    /// How its versions share those who ask for no version, as JSON text.
    pub split: Option<String>,
    /// Creation.
    pub created_at: Millis,
    /// Last change, new versions included.
    pub updated_at: Millis,
}

/// One version of a family. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptVersion {
    /// The wall it lies behind.
    pub tenant: String,
    /// By which configs pin it, unique within the tenant.
    pub id: String,
    /// The family.
    pub family: String,
    /// From 1, within its family, without gaps.
    pub number: i64,
    /// The text, with placeholders.
    pub text: String,
    /// What is not to be seen, with placeholders.
    pub negative_text: Option<String>,
    /// Types and defaults of its variables, as JSON text.
    pub variables: String,
    /// Who wrote it.
    pub author: String,
    /// Why.
    pub notes: Option<String>,
    /// The version it was made from.
    pub parent: Option<String>,
    /// Hash of text, negative text and variables, in hexadecimal.
    pub content_hash: String,
    /// Creation.
    pub created_at: Millis,
}

/// Which version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'w> {
    /// The newest.
    Latest,
    /// By its number.
    Number(i64),
    /// By its id.
    Id(&'w str),
}

/// A version to add. What it is called and numbered is the store's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The version; its number and, unless it is set, its id are ignored.
    pub version: PromptVersion,
    /// Whether the family is made, and may not be there before.
    pub family: Option<PromptFamily>,
}

/// What adding a version came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It was added.
    New(PromptFamily, PromptVersion),
    /// The family has a version of the same content.
    Same(PromptFamily, PromptVersion),
    /// There is no such family.
    NoFamily,
    /// There is such a family already, with other content.
    Taken,
    /// The family has no version of the parent's id.
    NoParent,
}

/// Runs of a version that ended alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptUse {
    /// The version.
    pub version: String,
    /// How they ended.
    pub end: RunEnd,
    /// What they ran into.
    pub error: Option<ErrorCode>,
    /// How many.
    pub runs: i64,
    /// What they cost together, in micro-dollars.
    pub micros: i64,
}

/// The id of a family's version.
#[must_use]
pub fn version_id(family: &str, number: i64) -> String {
    format!("{family}@{number}")
}

impl NewVersion {
    /// The version as it is added, with the family as it is afterwards.
    pub(super) fn numbered(&self, mut family: PromptFamily) -> (PromptFamily, PromptVersion) {
        let mut version = self.version.clone();
        family.latest += 1;
        family.updated_at = version.created_at;
        version.number = family.latest;
        if version.id.is_empty() {
            version.id = version_id(&family.id, version.number);
        }
        (family, version)
    }
}

/// The part of the store that keeps prompts.
#[async_trait]
pub trait PromptStore {
    /// Adds a version, unless the family has one of the same content.
    async fn add_version(&self, new: NewVersion) -> Result<Added>;

    /// Changes name, description and split of a family; false if there is none.
    async fn put_family(&self, family: PromptFamily) -> Result<bool>;

    /// Families of a tenant with their newest versions, by id behind a place.
    async fn families(
        &self,
        tenant: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(PromptFamily, PromptVersion)>>;

    /// A family with one of its versions; none if either is not there.
    async fn prompt(
        &self,
        tenant: &str,
        family: &str,
        which: Which<'_>,
    ) -> Result<Option<(PromptFamily, PromptVersion)>>;

    /// The version of this id, whatever its family.
    async fn prompt_version(&self, tenant: &str, id: &str) -> Result<Option<PromptVersion>>;

    /// Versions of a tenant with this content, by family.
    async fn prompts_with(&self, tenant: &str, content_hash: &str) -> Result<Vec<PromptVersion>>;

    /// Versions of a family, newest first, older than a number.
    async fn versions(
        &self,
        tenant: &str,
        family: &str,
        before: i64,
        limit: usize,
    ) -> Result<Vec<PromptVersion>>;

    /// How the runs of a family's versions ended since a time.
    async fn prompt_uses(
        &self,
        tenant: &str,
        family: &str,
        since: Millis,
    ) -> Result<Vec<PromptUse>>;

    /// Keeps a tenant's terms, as JSON text; none ends them.
    async fn put_terms(&self, tenant: &str, terms: Option<String>, now: Millis) -> Result<()>;

    /// A tenant's terms.
    async fn terms(&self, tenant: &str) -> Result<Option<String>>;
}
