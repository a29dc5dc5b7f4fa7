//! Versions: added, read, compared.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::families::noted;
use super::view::{PromptVersionList, PromptVersionView};
use super::{content, fault, managed, no_family, no_version};
use crate::problem::Problem;
use crate::prompt::{Content, Piece, Variable, VariableBody, diff};
use crate::service::{Caller, Service};
use crate::store::prompts::{Added, NewVersion, PromptVersion, Which};

/// A version to add to a family.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPromptVersion {
    /// The text, with placeholders.
    #[schemars(length(min = 1, max = 20000))]
    pub text: String,
    /// What is not to be seen, with placeholders.
    #[serde(default)]
    #[schemars(length(max = 20000))]
    pub negative_text: Option<String>,
    /// Variables by name: what is said of each, or its default alone.
    #[serde(default)]
    pub variables: Option<BTreeMap<String, VariableBody>>,
    /// Who wrote it; the caller if absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 255))]
    pub author: Option<String>,
    /// Why.
    #[serde(default)]
    #[schemars(length(max = 10000))]
    pub notes: Option<String>,
    /// The version it was made from.
    #[serde(default)]
    pub parent_id: Option<String>,
}

/// Which of two versions.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VersionName {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: i64,
}

/// In what two versions differ.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PromptDiff {
    /// The family.
    pub family_id: String,
    /// The first.
    pub from: VersionName,
    /// The second.
    pub to: VersionName,
    /// In what their content differs.
    #[serde(flatten)]
    pub content: ContentDiff,
}

/// In what two contents differ.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ContentDiff {
    /// Whether they say the same.
    pub same: bool,
    /// Pieces of the text.
    pub text: Vec<Piece>,
    /// Pieces of the negative text.
    pub negative_text: Vec<Piece>,
    /// Variables that differ, by name.
    pub variables: Vec<VariableDiff>,
}

/// A variable that differs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VariableDiff {
    /// Its name.
    pub name: String,
    /// What the first says of it; absent if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Variable>,
    /// What the second says of it; absent if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Variable>,
}

impl ContentDiff {
    /// Of two contents.
    #[must_use]
    pub fn of(from: &Content, to: &Content) -> Self {
        let negative = |content: &Content| content.negative_text.clone().unwrap_or_default();
        let names: std::collections::BTreeSet<&String> =
            from.variables.keys().chain(to.variables.keys()).collect();
        let differs = |name: &String| {
            let (from, to) = (from.variables.get(name), to.variables.get(name));
            (from != to).then(|| VariableDiff {
                name: name.clone(),
                from: from.cloned(),
                to: to.cloned(),
            })
        };
        Self {
            same: from == to,
            text: diff(&from.text, &to.text),
            negative_text: diff(&negative(from), &negative(to)),
            variables: names.into_iter().filter_map(differs).collect(),
        }
    }
}

/// Which version a word means: `latest`, a number, or an id.
pub(super) fn which(word: &str) -> Which<'_> {
    match word.parse() {
        _ if word == "latest" => Which::Latest,
        Ok(number) => Which::Number(number),
        Err(_) => Which::Id(word),
    }
}

impl Service {
    /// Adds a version to a family, unless one of it says the same. True if it was added.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for keys of users, `NOT_FOUND`, `VALIDATION_ERROR`.
    pub async fn add_prompt_version(
        &self,
        caller: &Caller,
        family: &str,
        body: NewPromptVersion,
    ) -> Result<(PromptVersionView, bool), Problem> {
        managed(caller)?;
        let mut faults = noted(None, body.author.as_ref(), &[("/notes", body.notes.as_ref())]);
        let content = Content::new(body.text, body.negative_text, body.variables);
        faults.extend(content.faults());
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        let no_parent = |id: &str| {
            let detail = format!("the family `{family}` has no version `{id}`");
            fault("/parent_id", "prompt/parent-unknown", detail)
        };
        if let Some(id) = body.parent_id.as_deref().filter(|id| id.contains('\0')) {
            return Err(no_parent(id));
        }
        let hash = content.hash();
        let mut version =
            self.new_version(caller, family, content, hash, body.author, body.notes)?;
        version.parent = body.parent_id;
        let parent = version.parent.clone().unwrap_or_default();
        match self.store.add_version(NewVersion { version, family: None }).await? {
            Added::New(_, version) => Ok((PromptVersionView::of(&version)?, true)),
            Added::Same(_, version) => Ok((PromptVersionView::of(&version)?, false)),
            Added::NoParent => Err(no_parent(&parent)),
            Added::NoFamily | Added::Taken => Err(no_family()),
        }
    }

    /// Versions of a family, newest first, older than a number.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    pub async fn prompt_versions(
        &self,
        caller: &Caller,
        family: &str,
        before: i64,
        limit: usize,
    ) -> Result<PromptVersionList, Problem> {
        let tenant = &caller.reader.tenant;
        if self.store.prompt(tenant, family, Which::Latest).await?.is_none() {
            return Err(no_family());
        }
        let page = self.store.versions(tenant, family, before, limit).await?;
        let oldest = page.last().filter(|version| page.len() == limit && version.number > 1);
        Ok(PromptVersionList {
            next_cursor: oldest.map(|version| version.number.to_string()),
            versions: page.iter().map(PromptVersionView::of).collect::<Result<_, _>>()?,
        })
    }

    /// One version: `latest`, by number, or by id.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    pub async fn prompt_version(
        &self,
        caller: &Caller,
        family: &str,
        word: &str,
    ) -> Result<PromptVersionView, Problem> {
        PromptVersionView::of(&self.version_named(caller, family, word).await?)
    }

    pub(super) async fn version_named(
        &self,
        caller: &Caller,
        family: &str,
        word: &str,
    ) -> Result<PromptVersion, Problem> {
        let found = self.store.prompt(&caller.reader.tenant, family, which(word)).await?;
        found.map(|(_, version)| version).ok_or_else(no_version)
    }

    /// In what two versions of a family differ.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    pub async fn prompt_diff(
        &self,
        caller: &Caller,
        family: &str,
        (from, to): (Option<&str>, &str),
    ) -> Result<PromptDiff, Problem> {
        let to = self.version_named(caller, family, to).await?;
        // What a version was made from, else the one before it.
        let from = match (from, &to.parent) {
            (Some(from), _) => self.version_named(caller, family, from).await?,
            (None, Some(parent)) => self.version_named(caller, family, parent).await?,
            (None, None) => {
                let before = (to.number - 1).max(1).to_string();
                self.version_named(caller, family, &before).await?
            }
        };
        let name = |version: &PromptVersion| VersionName {
            id: version.id.clone(),
            number: version.number,
        };
        Ok(PromptDiff {
            family_id: to.family.clone(),
            from: name(&from),
            to: name(&to),
            content: ContentDiff::of(&content(&from)?, &content(&to)?),
        })
    }
}
