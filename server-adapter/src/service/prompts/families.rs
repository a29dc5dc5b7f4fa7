//! Families: found or made by their content, listed, changed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::view::{PromptFamilyList, PromptFamilyView, split};
use super::{fault, managed, no_family};
use crate::clock::new_id;
use crate::problem::{Fault, Problem, ProblemCode};
use crate::prompt::{Arm, Content, NOTE, Split, VariableBody, null_character, too_long};
use crate::service::{Caller, Service};
use crate::store::prompts::{Added, NewVersion, PromptFamily, PromptVersion, Which};

/// Versions that share at most.
const ARMS: usize = 10;

/// Names below `/api/v1/prompts` that are no families.
const RESERVED: [&str; 2] = ["analyze", "terms"];

/// A prompt to find, or to keep as the first version of a family.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFamily {
    /// By which configs will name it; made of the content if absent.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"))]
    pub id: Option<String>,
    /// For people.
    #[serde(default)]
    #[schemars(length(max = 255))]
    pub name: Option<String>,
    /// For people.
    #[serde(default)]
    #[schemars(length(max = 10000))]
    pub description: Option<String>,
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
}

/// How versions shall share.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitBody {
    /// The versions and their shares, up to 10.
    #[schemars(length(min = 1, max = 10))]
    pub arms: Vec<Arm>,
}

/// What changes of a family (RFC 7396): what is absent stays, null goes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FamilyPatch {
    /// For people.
    #[serde(default, deserialize_with = "said")]
    #[schemars(with = "Option<String>", length(max = 255))]
    pub name: Option<Option<String>>,
    /// For people.
    #[serde(default, deserialize_with = "said")]
    #[schemars(with = "Option<String>", length(max = 10000))]
    pub description: Option<Option<String>>,
    /// How its versions share those who ask for no version; null for the newest alone.
    #[serde(default, deserialize_with = "said")]
    #[schemars(with = "Option<SplitBody>")]
    pub split: Option<Option<SplitBody>>,
}

fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(reader).map(Some)
}

/// What is wrong with what is said for people.
pub(super) fn noted(
    name: Option<&String>,
    author: Option<&String>,
    notes: &[(&str, Option<&String>)],
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (pointer, text, empty) in [("/name", name, true), ("/author", author, false)] {
        let Some(text) = text else { continue };
        faults.extend(too_long(pointer, text, 255));
        faults.extend(null_character(pointer, text));
        if !empty && text.is_empty() {
            faults.push(Fault::new(pointer, "json/empty-id", "it has at least one character"));
        }
    }
    for (pointer, text) in notes {
        let Some(text) = text else { continue };
        faults.extend(too_long(pointer, text, NOTE));
        faults.extend(null_character(pointer, text));
    }
    faults
}

/// Whether a text may name a family.
fn is_name(id: &str) -> bool {
    let mut bytes = id.bytes();
    id.len() <= 100
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        && !RESERVED.contains(&id)
}

impl Service {
    /// The version that says this, or the first of a new family. True if it was made.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for keys of users, `VALIDATION_ERROR`, `CONFLICT` for a family that says
    /// something else.
    pub async fn find_or_create_prompt(
        &self,
        caller: &Caller,
        body: NewFamily,
    ) -> Result<(PromptFamilyView, bool), Problem> {
        let tenant = managed(caller)?;
        let notes = [("/notes", body.notes.as_ref()), ("/description", body.description.as_ref())];
        let mut faults = noted(body.name.as_ref(), body.author.as_ref(), &notes);
        if body.id.as_deref().is_some_and(|id| !is_name(id)) {
            let detail = "a family's id is a letter or digit, then letters, digits, `.`, `_` and \
                          `-`, up to 100; `analyze` and `terms` are taken";
            faults.push(Fault::new("/id", "prompt/family-name", detail));
        }
        let content = Content::new(body.text, body.negative_text, body.variables);
        faults.extend(content.faults());
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        let hash = content.hash();
        if body.id.is_none()
            && let Some(known) = self.store.prompts_with(tenant, &hash).await?.first()
        {
            let which = Which::Id(&known.id);
            let found = self.store.prompt(tenant, &known.family, which).await?;
            let (family, version) = found.ok_or_else(no_family)?;
            return Ok((PromptFamilyView::of(&family, &version)?, false));
        }
        let made_of_content = || format!("prompt-{}", hash.get(..12).unwrap_or(&hash));
        let id = body.id.unwrap_or_else(made_of_content);
        let now = self.clock.now();
        let family = PromptFamily {
            tenant: tenant.to_owned(),
            id: id.clone(),
            name: body.name.filter(|name| !name.is_empty()),
            description: body.description.filter(|text| !text.is_empty()),
            latest: 0,
            split: None,
            created_at: now,
            updated_at: now,
        };
        let version = self.new_version(caller, &id, content, hash, body.author, body.notes)?;
        let new = NewVersion { version, family: Some(family) };
        match self.store.add_version(new).await? {
            Added::New(family, version) => Ok((PromptFamilyView::of(&family, &version)?, true)),
            Added::Same(family, version) => Ok((PromptFamilyView::of(&family, &version)?, false)),
            Added::Taken => {
                let detail = format!(
                    "the family `{id}` says something else: add a version to it \
                     (POST /api/v1/prompts/{id}/versions)"
                );
                Err(Problem::new(ProblemCode::Conflict, detail))
            }
            Added::NoFamily | Added::NoParent => Err(no_family()),
        }
    }

    /// A version that the store has yet to number.
    pub(super) fn new_version(
        &self,
        caller: &Caller,
        family: &str,
        content: Content,
        content_hash: String,
        author: Option<String>,
        notes: Option<String>,
    ) -> Result<PromptVersion, Problem> {
        let variables = serde_json::to_string(&content.variables)
            .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
        Ok(PromptVersion {
            tenant: caller.reader.tenant.clone(),
            id: String::new(),
            family: family.to_owned(),
            number: 0,
            text: content.text,
            negative_text: content.negative_text,
            variables,
            author: author.unwrap_or_else(|| caller.reader.user.clone()),
            notes: notes.filter(|notes| !notes.is_empty()),
            parent: None,
            content_hash,
            created_at: self.clock.now(),
        })
    }

    /// The tenant's families, by id.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn prompt_families(
        &self,
        caller: &Caller,
        after: &str,
        limit: usize,
    ) -> Result<PromptFamilyList, Problem> {
        let mut page = self.store.families(&caller.reader.tenant, after, limit + 1).await?;
        let more = page.len() > limit;
        page.truncate(limit);
        let next_cursor = page.last().filter(|_| more).map(|(family, _)| family.id.clone());
        let views = page.iter().map(|(family, version)| PromptFamilyView::of(family, version));
        Ok(PromptFamilyList { families: views.collect::<Result<_, _>>()?, next_cursor })
    }

    /// A family with its newest version.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    pub async fn prompt_family(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<PromptFamilyView, Problem> {
        let found = self.store.prompt(&caller.reader.tenant, id, Which::Latest).await?;
        let (family, version) = found.ok_or_else(no_family)?;
        PromptFamilyView::of(&family, &version)
    }

    /// Changes what may change of a family.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for keys of users, `NOT_FOUND`, `VALIDATION_ERROR`.
    pub async fn patch_family(
        &self,
        caller: &Caller,
        id: &str,
        patch: FamilyPatch,
    ) -> Result<PromptFamilyView, Problem> {
        let tenant = managed(caller)?;
        let found = self.store.prompt(tenant, id, Which::Latest).await?;
        let (mut family, version) = found.ok_or_else(no_family)?;
        let name = patch.name.as_ref().and_then(Option::as_ref);
        let description = patch.description.as_ref().and_then(Option::as_ref);
        let faults = noted(name, None, &[("/description", description)]);
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        if let Some(name) = patch.name {
            family.name = name.filter(|name| !name.is_empty());
        }
        if let Some(description) = patch.description {
            family.description = description.filter(|text| !text.is_empty());
        }
        match patch.split {
            Some(Some(body)) => family.split = Some(self.new_split(tenant, &family, body).await?),
            Some(None) => family.split = None,
            None => {}
        }
        family.updated_at = self.clock.now();
        if !self.store.put_family(family.clone()).await? {
            return Err(no_family());
        }
        PromptFamilyView::of(&family, &version)
    }

    /// A split that was asked for, unless it is the one there is.
    async fn new_split(
        &self,
        tenant: &str,
        family: &PromptFamily,
        body: SplitBody,
    ) -> Result<String, Problem> {
        let arms = body.arms;
        if !(1..=ARMS).contains(&arms.len()) {
            let detail = format!("a split has 1 to {ARMS} arms");
            return Err(fault("/split/arms", "prompt/split", detail));
        }
        for (index, arm) in arms.iter().enumerate() {
            let pointer = format!("/split/arms/{index}");
            if !(1..=1_000).contains(&arm.weight) {
                let detail = "a weight is 1 to 1000";
                return Err(fault(&format!("{pointer}/weight"), "prompt/split", detail));
            }
            let twice = arms.iter().filter(|other| other.version_id == arm.version_id).count() > 1;
            let id = arm.version_id.as_str();
            let known = !id.contains('\0')
                && self.store.prompt(tenant, &family.id, Which::Id(id)).await?.is_some();
            if twice || !known {
                let detail = match known {
                    true => format!("the version `{id}` has two arms"),
                    false => format!("the family `{}` has no version `{id}`", family.id),
                };
                return Err(fault(&format!("{pointer}/version_id"), "prompt/split", detail));
            }
        }
        let known = split(family)?.filter(|known| known.arms == arms);
        let made = || Split { id: new_id(&*self.clock), started_at: self.clock.now(), arms };
        serde_json::to_string(&known.unwrap_or_else(made))
            .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))
    }
}
