//! Families and versions as they are on the wire.

use schemars::JsonSchema;
use serde::Serialize;

use super::content;
use crate::clock::rfc3339;
use crate::problem::Problem;
use crate::prompt::{Arm, Split, Variables};
use crate::store::StoreError;
use crate::store::prompts::{PromptFamily, PromptVersion};

/// How versions of a family share those who ask for no version.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SplitView {
    /// Since when (RFC 3339).
    pub started_at: String,
    /// The versions and their shares.
    pub arms: Vec<Arm>,
}

impl From<&Split> for SplitView {
    fn from(split: &Split) -> Self {
        Self { started_at: rfc3339(split.started_at), arms: split.arms.clone() }
    }
}

/// One version of a family. It never changes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PromptVersionView {
    /// By which configs pin it: `templateVersionId`.
    pub id: String,
    /// The family: `templateId`.
    pub family_id: String,
    /// From 1, within the family.
    pub number: i64,
    /// The text, with placeholders.
    pub text: String,
    /// What is not to be seen, with placeholders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_text: Option<String>,
    /// Types and defaults by name.
    pub variables: Variables,
    /// The names that its texts use, in order.
    pub placeholders: Vec<String>,
    /// Who wrote it.
    pub author: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The version it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The same for the same content, whatever the family.
    pub content_hash: String,
    /// Creation (RFC 3339).
    pub created_at: String,
}

impl PromptVersionView {
    pub(super) fn of(version: &PromptVersion) -> Result<Self, Problem> {
        let content = content(version)?;
        Ok(Self {
            id: version.id.clone(),
            family_id: version.family.clone(),
            number: version.number,
            placeholders: content.placeholders(),
            text: content.text,
            negative_text: content.negative_text,
            variables: content.variables,
            author: version.author.clone(),
            notes: version.notes.clone(),
            parent_id: version.parent.clone(),
            content_hash: version.content_hash.clone(),
            created_at: rfc3339(version.created_at),
        })
    }
}

/// A family of versions.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PromptFamilyView {
    /// By which configs name it: `templateId`.
    pub id: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The newest version; on a create the version that was added or found.
    pub version: PromptVersionView,
    /// The number of the newest version.
    pub latest: i64,
    /// How its versions share those who ask for no version; the newest for all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitView>,
    /// Creation (RFC 3339).
    pub created_at: String,
    /// Last change, new versions included (RFC 3339).
    pub updated_at: String,
}

impl PromptFamilyView {
    pub(super) fn of(family: &PromptFamily, version: &PromptVersion) -> Result<Self, Problem> {
        Ok(Self {
            id: family.id.clone(),
            name: family.name.clone(),
            description: family.description.clone(),
            version: PromptVersionView::of(version)?,
            latest: family.latest,
            split: split(family)?.as_ref().map(SplitView::from),
            created_at: rfc3339(family.created_at),
            updated_at: rfc3339(family.updated_at),
        })
    }
}

/// How a family's versions share.
pub(super) fn split(family: &PromptFamily) -> Result<Option<Split>, Problem> {
    let read = |text: &String| {
        serde_json::from_str(text)
            .map_err(|error| StoreError::Corrupt(format!("{}: {error}", family.id)))
    };
    Ok(family.split.as_ref().map(read).transpose()?)
}

/// A page of families.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PromptFamilyList {
    /// By id.
    pub families: Vec<PromptFamilyView>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A page of versions.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PromptVersionList {
    /// Newest first.
    pub versions: Vec<PromptVersionView>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
