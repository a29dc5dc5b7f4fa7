//! Who takes prompts apart: a table of words, or whatever a program puts in its place.

use async_trait::async_trait;
use onepath_core::{PromptAnalysis, analyze_prompt};

/// Why there is no analysis.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the prompt could not be taken apart: {0}")]
pub struct AnalystError(pub String);

/// Takes prompts apart into what they speak about.
#[async_trait]
pub trait Analyst: std::fmt::Debug + Send + Sync {
    /// Its name, as answers tell it.
    fn name(&self) -> &str;

    /// What a prompt speaks about.
    ///
    /// # Errors
    ///
    /// It does not answer.
    async fn analyze(&self, prompt: &str) -> Result<PromptAnalysis, AnalystError>;
}

/// Core's table of words.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleAnalyst;

#[async_trait]
impl Analyst for RuleAnalyst {
    fn name(&self) -> &'static str {
        "rules"
    }

    async fn analyze(&self, prompt: &str) -> Result<PromptAnalysis, AnalystError> {
        Ok(analyze_prompt(prompt))
    }
}
