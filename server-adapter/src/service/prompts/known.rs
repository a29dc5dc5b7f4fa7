//! What a create is built with beside its envelope: the version of a family that it asks for, and
//! the terms that count.

use onepath_core::{CreateGenerationRequest, Decoded, Draft, Integer, Template, Terms};

use super::terms::{TenantTerms, borrowed};
use super::view::split;
use super::{content, fault};
use crate::problem::{Problem, ProblemCode};
use crate::service::{Caller, Service, Standing};
use crate::store::prompts::{PromptFamily, PromptVersion, Which};

/// What a create is built with.
#[derive(Debug, Clone, Default)]
pub struct Prompts {
    /// Terms of tenant and world.
    terms: Option<TenantTerms>,
    /// The family that a config asks for, with the version that it gets.
    template: Option<(String, Template<'static>)>,
}

impl Prompts {
    /// With what a family's version says.
    pub(super) fn new(
        terms: Option<TenantTerms>,
        version: Option<&PromptVersion>,
    ) -> Result<Self, Problem> {
        let template = version.map(template).transpose()?;
        Ok(Self { terms, template })
    }

    /// A draft with it.
    pub(in super::super) fn complete<'p>(&'p self, mut draft: Draft<'p>) -> Draft<'p> {
        if let Some((id, template)) = &self.template {
            draft = draft.with_template(id, template.clone());
        }
        match &self.terms {
            Some(terms) => draft.with_terms(borrowed(terms)),
            None => draft,
        }
    }

    /// The terms that count.
    pub(in super::super) fn terms(&self) -> Option<&Terms<'static>> {
        self.terms.as_deref()
    }
}

/// A version as core renders it, with its family.
pub(super) fn template(version: &PromptVersion) -> Result<(String, Template<'static>), Problem> {
    let template = content(version)?.template(&version.id);
    let broken = || Problem::new(ProblemCode::InternalError, "a version cannot be rendered");
    Ok((version.family.clone(), template.ok_or_else(broken)?))
}

/// How a version was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChosenBy {
    /// It was named.
    Pin,
    /// The family's versions share.
    Split,
    /// It is the newest.
    Latest,
}

impl Service {
    /// What an envelope is built with.
    ///
    /// # Errors
    ///
    /// `VALIDATION_ERROR` for a version of no known family, and when the store does not answer.
    pub(in super::super) async fn prompts(
        &self,
        caller: &Caller,
        read: &Decoded<CreateGenerationRequest<'_>>,
        standing: &Standing,
    ) -> Result<Prompts, Problem> {
        let terms = self.terms_of(caller, standing).await?;
        let envelope = read.value.as_ref().filter(|envelope| names_template(envelope));
        let now = Integer::new(self.clock.now());
        let draft = envelope.and_then(|envelope| Draft::new(envelope, standing.own(), now));
        let Some(draft) = draft else { return Prompts::new(terms, None) };
        let Some(needed) = draft.needed_template() else { return Prompts::new(terms, None) };
        let tenant = &caller.reader.tenant;
        let named = |id: &str| !id.contains('\0');
        let version = needed.version.map(|id| id.as_str()).filter(|id| named(id));
        let family = needed.id.map(|id| id.as_str()).filter(|id| named(id));
        let found = match (family, version) {
            (Some(family), Some(version)) => {
                let found = self.store.prompt(tenant, family, Which::Id(version)).await?;
                found.map(|(_, version)| version)
            }
            (Some(family), None) => {
                let person = draft.player_id().unwrap_or(&caller.reader.user);
                self.version_for(tenant, family, person).await?.map(|(_, version, _)| version)
            }
            (None, Some(version)) => self.store.prompt_version(tenant, version).await?,
            (None, None) => None,
        };
        // A family that is not known leaves the request pending, which is told with its fingerprint.
        if found.is_none() && needed.id.is_none() {
            let detail = "no family of prompts has this version";
            return Err(fault("/config/templateVersionId", "template/unknown", detail));
        }
        Prompts::new(terms, found.as_ref())
    }

    /// The version that a person gets who asks for none.
    pub(super) async fn version_for(
        &self,
        tenant: &str,
        family: &str,
        person: &str,
    ) -> Result<Option<(PromptFamily, PromptVersion, ChosenBy)>, Problem> {
        let found = self.store.prompt(tenant, family, Which::Latest).await?;
        let Some((family, latest)) = found else { return Ok(None) };
        let split = split(&family)?;
        let Some(chosen) = split.as_ref().and_then(|split| split.choose(person)) else {
            return Ok(Some((family, latest, ChosenBy::Latest)));
        };
        let found = self.store.prompt(tenant, &family.id, Which::Id(chosen)).await?;
        Ok(found.map(|(family, version)| (family, version, ChosenBy::Split)))
    }
}

/// Whether an envelope names a template, under whichever name.
fn names_template(envelope: &CreateGenerationRequest<'_>) -> bool {
    let config = envelope.config.as_ref();
    config
        .is_some_and(|config| config.template_id.is_some() || config.template_version_id.is_some())
        || envelope.template_id.is_some()
        || envelope.prompt_version_id.is_some()
        || envelope.prompt_config.is_some()
}
