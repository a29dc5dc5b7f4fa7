//! Prompts that a server keeps: families of numbered versions, what they come to, and terms.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Client, Error};

/// A family of versions.
#[derive(Debug, Clone, Deserialize)]
pub struct PromptFamily {
    /// By which configs name it: `templateId`.
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The newest version; of a create the one that was added or found.
    pub version: PromptVersion,
    /// The number of the newest version.
    pub latest: i64,
    /// How its versions share those who ask for no version.
    pub split: Option<PromptSplit>,
}

/// How versions share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PromptSplit {
    /// The versions and their shares.
    pub arms: Vec<PromptArm>,
}

/// A version that shares.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PromptArm {
    /// The version.
    pub version_id: String,
    /// Its share against the others'.
    pub weight: u32,
}

/// One version of a family. It never changes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PromptVersion {
    /// By which configs pin it: `templateVersionId`.
    pub id: String,
    /// The family.
    pub family_id: String,
    /// From 1, within the family.
    pub number: i64,
    /// The text, with placeholders.
    pub text: String,
    /// What is not to be seen, with placeholders.
    pub negative_text: Option<String>,
    /// Types and defaults by name.
    pub variables: BTreeMap<String, PromptVariable>,
    /// Who wrote it.
    pub author: String,
    /// Why.
    pub notes: Option<String>,
    /// The version it was made from.
    pub parent_id: Option<String>,
}

/// What a version says of one of its variables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PromptVariable {
    /// `text`, `number` or `boolean`; any of them if absent.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its value where nobody gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What it is, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// A version to add.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewPromptVersion {
    /// The text, with placeholders.
    pub text: String,
    /// What is not to be seen, with placeholders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_text: Option<String>,
    /// Types and defaults by name.
    pub variables: BTreeMap<String, PromptVariable>,
    /// Who wrote it; the caller if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A page of families.
#[derive(Debug, Clone, Deserialize)]
pub struct PromptPage {
    /// By id.
    pub families: Vec<PromptFamily>,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
}

/// In what two versions differ.
#[derive(Debug, Clone, Deserialize)]
pub struct PromptDiff {
    /// The first.
    pub from: VersionName,
    /// The second.
    pub to: VersionName,
    /// Whether they say the same.
    pub same: bool,
    /// Pieces of the text.
    pub text: Vec<Piece>,
    /// Pieces of the negative text.
    pub negative_text: Vec<Piece>,
    /// Variables that differ.
    pub variables: Vec<VariableDiff>,
}

/// Which of two versions.
#[derive(Debug, Clone, Deserialize)]
pub struct VersionName {
    /// Its id.
    pub id: String,
}

/// A piece of two texts.
#[derive(Debug, Clone, Deserialize)]
pub struct Piece {
    /// `same`, `removed` or `added`.
    pub kind: String,
    /// The piece.
    pub text: String,
}

/// A variable that differs.
#[derive(Debug, Clone, Deserialize)]
pub struct VariableDiff {
    /// Its name.
    pub name: String,
    /// What the first says of it.
    pub from: Option<PromptVariable>,
    /// What the second says of it.
    pub to: Option<PromptVariable>,
}

/// What the versions of a family came to.
#[derive(Debug, Clone, Deserialize)]
pub struct PromptUsage {
    /// Versions with runs, by id.
    pub versions: Vec<VersionUsage>,
    /// The versions that share, since they do.
    pub arms: Option<Vec<VersionUsage>>,
}

/// What a version came to.
#[derive(Debug, Clone, Deserialize)]
pub struct VersionUsage {
    /// The version.
    pub version_id: String,
    /// Runs that ended.
    pub runs: i64,
    /// How they ended.
    pub outcomes: BTreeMap<String, i64>,
    /// Runs by what moderation refused.
    pub moderation: BTreeMap<String, i64>,
    /// What they cost together, in micro-dollars.
    pub micros: i64,
}

/// A version, rendered.
#[derive(Debug, Clone, Deserialize)]
pub struct RenderedPrompt {
    /// The version.
    pub version_id: String,
    /// `pin`, `split` or `latest`.
    pub chosen_by: String,
    /// The text that a provider would be sent.
    pub prompt: String,
    /// What is not to be seen.
    pub negative_prompt: Option<String>,
}

/// What a tenant blocks and flags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptTerms {
    /// Refused.
    #[serde(default)]
    pub blocked: Vec<String>,
    /// Reported.
    #[serde(default)]
    pub flagged: Vec<String>,
}

const PROMPTS: &str = "/api/v1/prompts";

/// A name as a part of a path or a query.
fn segment(name: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn body(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Setup(error.to_string()))
}

impl Client {
    /// A page of families with their newest versions, behind a place.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn prompts(&self, cursor: Option<&str>) -> Result<PromptPage, Error> {
        let cursor = cursor.map_or(String::new(), |cursor| format!("&cursor={}", segment(cursor)));
        self.call(Method::GET, &format!("{PROMPTS}?limit=200{cursor}"), None, None).await
    }

    /// Every family with its newest version, by id.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn all_prompts(&self) -> Result<Vec<PromptFamily>, Error> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.prompts(cursor.as_deref()).await?;
            all.extend(page.families);
            if page.next_cursor.is_none() {
                return Ok(all);
            }
            cursor = page.next_cursor;
        }
    }

    /// One version: `latest`, a number, or an id.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn prompt_version(
        &self,
        family: &str,
        version: &str,
    ) -> Result<PromptVersion, Error> {
        let path = format!("{PROMPTS}/{}/versions/{}", segment(family), segment(version));
        self.call(Method::GET, &path, None, None).await
    }

    /// Adds a version to a family, which is made if it is not there; one that says the same is
    /// found instead.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn add_prompt_version(
        &self,
        family: &str,
        version: &NewPromptVersion,
    ) -> Result<PromptVersion, Error> {
        let path = format!("{PROMPTS}/{}/versions", segment(family));
        match self.call(Method::POST, &path, Some(&body(version)?), None).await {
            Err(Error::Problem(problem)) if problem.status == 404 => {}
            other => return other,
        }
        let mut first =
            serde_json::to_value(version).map_err(|error| Error::Setup(error.to_string()))?;
        if let Some(members) = first.as_object_mut() {
            members.insert("id".to_owned(), family.into());
        }
        let made: PromptFamily =
            self.call(Method::POST, PROMPTS, Some(&body(&first)?), None).await?;
        Ok(made.version)
    }

    /// What a create under a version of a family would send; `request` is
    /// `{version?, variables?, player_id?, provider_id?}` as JSON text.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn render_prompt(
        &self,
        family: &str,
        request: &str,
    ) -> Result<RenderedPrompt, Error> {
        let path = format!("{PROMPTS}/{}/render", segment(family));
        self.call(Method::POST, &path, Some(request), None).await
    }

    /// In what two versions differ; by default the newest and what it was made from.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn prompt_diff(
        &self,
        family: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<PromptDiff, Error> {
        let mut path =
            format!("{PROMPTS}/{}/diff?to={}", segment(family), segment(to.unwrap_or("latest")));
        if let Some(from) = from {
            path.push_str(&format!("&from={}", segment(from)));
        }
        self.call(Method::GET, &path, None, None).await
    }

    /// How the runs of a family's versions ended.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn prompt_usage(&self, family: &str) -> Result<PromptUsage, Error> {
        self.call(Method::GET, &format!("{PROMPTS}/{}/usage", segment(family)), None, None).await
    }

    /// What the tenant blocks and flags.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn terms(&self) -> Result<PromptTerms, Error> {
        self.call(Method::GET, &format!("{PROMPTS}/terms"), None, None).await
    }

    /// Sets what the tenant blocks and flags.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn put_terms(&self, terms: &PromptTerms) -> Result<PromptTerms, Error> {
        self.call(Method::PUT, &format!("{PROMPTS}/terms"), Some(&body(terms)?), None).await
    }
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn names_stay_within_their_part_of_a_path() {
        assert_eq!(segment("quay@2"), "quay%402");
        assert_eq!(segment("../a?b=ø"), "..%2Fa%3Fb%3D%C3%B8");
    }
}
