//! Prompts that a tenant keeps: families, versions, what they come to, and terms.

mod families;
mod known;
mod render;
mod terms;
mod usage;
mod versions;
mod view;

pub use families::{FamilyPatch, NewFamily, SplitBody};
pub use known::{ChosenBy, Prompts};
pub use render::{AnalyzeBody, AnalyzeResponse, PromptLimit, RenderBody, RenderResponse};
pub(super) use terms::TenantTerms;
pub use terms::{TermsBody, TermsResponse};
pub use usage::{PromptOutcomes, PromptUsage, VersionUsage};
pub use versions::{ContentDiff, NewPromptVersion, PromptDiff, VariableDiff, VersionName};
pub use view::{
    PromptFamilyList, PromptFamilyView, PromptVersionList, PromptVersionView, SplitView,
};

use super::Caller;
use crate::problem::{Fault, Problem, ProblemCode};
use crate::prompt::Content;
use crate::store::prompts::PromptVersion;
use crate::store::{Role, StoreError};

/// The tenant whose prompts a caller looks after.
fn managed(caller: &Caller) -> Result<&str, Problem> {
    if caller.role == Role::User {
        let detail = "only keys with the role `backend` or `admin` change prompts and terms";
        return Err(Problem::new(ProblemCode::Forbidden, detail));
    }
    Ok(&caller.reader.tenant)
}

fn no_family() -> Problem {
    Problem::not_found("family of prompts")
}

fn no_version() -> Problem {
    Problem::not_found("version in this family")
}

fn fault(pointer: &str, code: &str, detail: impl Into<String>) -> Problem {
    Problem::faults(vec![Fault::new(pointer, code, detail)])
}

/// What a version that is kept says.
fn content(version: &PromptVersion) -> Result<Content, Problem> {
    let variables = serde_json::from_str(&version.variables)
        .map_err(|error| StoreError::Corrupt(format!("{}: {error}", version.id)))?;
    Ok(Content {
        text: version.text.clone(),
        negative_text: version.negative_text.clone(),
        variables,
    })
}
