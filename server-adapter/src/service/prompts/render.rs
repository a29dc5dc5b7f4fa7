//! A version rendered, and a prompt taken apart: what a create would come to, before it is one.

use onepath_core::{Draft, Finding, Integer, PromptAnalysis, Report, Severity, Template};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::known::{ChosenBy, Prompts, template};
use super::versions::which;
use super::{no_family, no_version};
use crate::problem::{Fault, Problem, ProblemCode};
use crate::prompt::{null_character, too_long};
use crate::service::plan::{described, envelope};
use crate::service::{Caller, Service};

/// Characters of a prompt that is taken apart at most.
const PROMPT: usize = 100_000;

/// How a version is rendered.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderBody {
    /// `latest`, a number or an id; the one that the player gets if absent.
    #[serde(default)]
    pub version: Option<String>,
    /// Values of its variables.
    #[serde(default)]
    pub variables: Option<serde_json::Map<String, Value>>,
    /// Who plays: decides where versions share; the caller if absent.
    #[serde(default)]
    pub player_id: Option<String>,
    /// The provider whose limit and terms count, too.
    #[serde(default)]
    pub provider_id: Option<String>,
}

/// A version, rendered.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RenderResponse {
    /// The family.
    pub family_id: String,
    /// The version.
    pub version_id: String,
    /// Its number.
    pub number: i64,
    /// Why this one.
    pub chosen_by: ChosenBy,
    /// The text that a provider would be sent.
    pub prompt: String,
    /// What is not to be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_prompt: Option<String>,
    /// Characters of the prompt.
    pub characters: usize,
    /// Terms in it, and whether it is too long for the provider.
    pub findings: Vec<Finding>,
    /// The version as builders take it in `templates`.
    pub template: Template<'static>,
}

/// A prompt to take apart.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalyzeBody {
    /// The prompt.
    #[schemars(length(max = 100_000))]
    pub text: String,
    /// The provider whose terms count, too.
    #[serde(default)]
    pub provider_id: Option<String>,
}

/// What a prompt speaks about, and who takes it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AnalyzeResponse {
    /// Who took it apart; `rules` is a table of words.
    pub analyst: String,
    /// What it speaks about.
    #[serde(flatten)]
    pub analysis: PromptAnalysis,
    /// Its characters.
    pub characters: usize,
    /// Providers that take prompts up to a length.
    pub limits: Vec<PromptLimit>,
    /// Terms in it.
    pub findings: Vec<Finding>,
}

/// The longest prompt of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PromptLimit {
    /// The provider.
    pub provider_id: String,
    /// Characters that it takes.
    pub most: i64,
    /// Whether the prompt fits.
    pub fits: bool,
}

/// A config that asks for nothing but its prompt.
fn bare(mut more: Value, provider: Option<&String>) -> String {
    let mut config = json!({
        "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
        "fallback": { "mode": "skip" },
    });
    if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object_mut()) {
        config.append(more);
    }
    json!({ "config": config, "provider_id": provider }).to_string()
}

/// Findings about the prompt.
fn about_prompts(report: Report) -> impl Iterator<Item = Finding> {
    report
        .into_findings()
        .into_iter()
        .filter(|finding| finding.code().slug().starts_with("prompt/"))
}

impl Service {
    /// What a create under a family's version would send.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, `VALIDATION_ERROR` for values that do not fit.
    pub async fn render_prompt(
        &self,
        caller: &Caller,
        family: &str,
        body: &RenderBody,
    ) -> Result<RenderResponse, Problem> {
        let tenant = &caller.reader.tenant;
        let person = body.player_id.as_deref().unwrap_or(&caller.reader.user);
        let (version, chosen_by) = match body.version.as_deref() {
            Some(word) if word.contains('\0') => return Err(no_version()),
            Some(word) => {
                let found = self.store.prompt(tenant, family, which(word)).await?;
                (found.map(|(_, version)| version).ok_or_else(no_version)?, ChosenBy::Pin)
            }
            None => {
                let found = self.version_for(tenant, family, person).await?;
                let (_, version, chosen_by) = found.ok_or_else(no_family)?;
                (version, chosen_by)
            }
        };
        let standing = self.standing(caller, None).await?;
        let terms = self.terms_of(caller, &standing).await?;
        let prompts = Prompts::new(terms, Some(&version))?;
        let asked = json!({ "templateId": family, "variables": body.variables });
        let text = bare(asked, body.provider_id.as_ref());
        let read = envelope(&text)?;
        let drafted = read.value.as_ref().and_then(|envelope| {
            let now = Integer::new(self.clock.now());
            let draft = Draft::new(envelope, standing.own(), now)?;
            Some(prompts.complete(described(draft, envelope, &self.providers)))
        });
        let here = |fault: Fault| Fault {
            pointer: match fault.pointer.strip_prefix("/config") {
                Some("/templateId") => "/variables".to_owned(),
                Some(rest) => rest.to_owned(),
                None => fault.pointer,
            },
            ..fault
        };
        if !read.faults.is_empty() {
            let faults = read.faults.iter().map(|finding| here(Fault::from(finding)));
            return Err(Problem::faults(faults.collect()));
        }
        let broken = || Problem::new(ProblemCode::InternalError, "a version cannot be rendered");
        let draft = drafted.ok_or_else(broken)?;
        let prepared = draft.prepare(&[]);
        let findings: Vec<Finding> = about_prompts(prepared.report).collect();
        let Some((request, _)) = prepared.made else {
            let errors = findings.iter().filter(|found| found.severity() == Severity::Error);
            let faults = errors.map(|finding| here(Fault::from(finding))).collect();
            return Err(Problem::faults(faults));
        };
        let prompt = request.prompt.as_deref().unwrap_or("").to_owned();
        let (_, template) = template(&version)?;
        Ok(RenderResponse {
            family_id: version.family,
            version_id: version.id,
            number: version.number,
            chosen_by,
            characters: prompt.chars().count(),
            prompt,
            negative_prompt: request.negative_prompt.as_deref().map(str::to_owned),
            findings,
            template,
        })
    }

    /// What a prompt speaks about, and which providers take it.
    ///
    /// # Errors
    ///
    /// `VALIDATION_ERROR` for one that is too long, `UPSTREAM_ERROR` when the analyst fails.
    pub async fn analyze_prompt(
        &self,
        caller: &Caller,
        body: &AnalyzeBody,
    ) -> Result<AnalyzeResponse, Problem> {
        let wrong = too_long("/text", &body.text, PROMPT).or(null_character("/text", &body.text));
        if let Some(fault) = wrong {
            return Err(Problem::faults(vec![fault]));
        }
        let analysis = self.analyst.analyze(&body.text).await;
        let analysis = analysis
            .map_err(|error| Problem::new(ProblemCode::UpstreamError, error.to_string()))?;
        let standing = self.standing(caller, None).await?;
        let terms = self.terms_of(caller, &standing).await?;
        let prompts = Prompts::new(terms, None)?;
        // It is taken as it is: what looks like a placeholder is text.
        let asked = json!({ "prompt": body.text.replace("{{", "{{{{") });
        let text = bare(asked, body.provider_id.as_ref());
        let read = envelope(&text)?;
        let drafted = read.value.as_ref().and_then(|envelope| {
            let now = Integer::new(self.clock.now());
            let draft = Draft::new(envelope, standing.own(), now)?;
            Some(prompts.complete(described(draft, envelope, &self.providers)))
        });
        let mut findings = Vec::new();
        if let Some(draft) = &drafted {
            findings.extend(about_prompts(draft.prepare(&[]).report));
        }
        let characters = body.text.chars().count();
        let limits = self.providers.iter().filter_map(|provider| {
            let info = provider.info();
            let most = info.prompt_max?.get();
            let fits = i64::try_from(characters).is_ok_and(|count| count <= most);
            Some(PromptLimit { provider_id: info.id.as_str().to_owned(), most, fits })
        });
        Ok(AnalyzeResponse {
            analyst: self.analyst.name().to_owned(),
            analysis,
            characters,
            limits: limits.collect(),
            findings,
        })
    }
}
