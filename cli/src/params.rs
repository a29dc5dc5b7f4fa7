//! `onepath params`: what a provider would be sent.

use std::path::PathBuf;

use onepath_core::Severity;
use onepath_server::provider::{Places, ProviderSettings};
use serde_json::json;

use crate::context::BuildContext;
use crate::node::walk_nodes;
use crate::print::Out;
use crate::{Outcome, Run};

/// Options of `onepath params`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders, globs, or `-` for standard input
    #[arg(required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    context: BuildContext,
    /// How providers are set up, as for `serve`
    #[arg(long, env = "ONEPATH_PROVIDERS", value_name = "FILE")]
    providers: Option<PathBuf>,
}

/// Prints one JSON object a node: path and body of the submission, inputs as they are named.
pub(crate) fn run(args: &Args) -> Run {
    let settings = settings(args.providers.as_deref())?;
    let texts = args.context.load()?;
    let options = texts.options()?;
    let mut out = Out::new();
    let mut unsent = false;
    let refused = walk_nodes(&args.paths, &options, Severity::Error, |node| {
        let Some((request, _)) = &node.prepared.made else { return Ok(()) };
        let id = request.provider_id.as_ref().map_or("", |id| id.as_str());
        let provider = settings.adapter(id).map_err(|error| error.to_string())?;
        let Some(provider) = provider else {
            return Err(format!("`{id}` is sent nothing: say a provider with --provider"));
        };
        let answer = match provider.params(request, &Places::preview()) {
            Ok(params) => json!({ "file": node.file, "node": node.name, "params": params }),
            Err(refusal) => {
                unsent = true;
                let refused = json!({ "code": refusal.code, "detail": refusal.detail });
                json!({ "file": node.file, "node": node.name, "refused": refused })
            }
        };
        let text = serde_json::to_string_pretty(&answer).map_err(|error| error.to_string())?;
        out.line(&text)
    })?;
    out.finish()?;
    Ok(if refused || unsent { Outcome::Findings } else { Outcome::Clean })
}

/// Providers as the environment and a file set them up.
pub(crate) fn settings(file: Option<&std::path::Path>) -> Result<ProviderSettings, String> {
    let settings = ProviderSettings::from_environment();
    let Some(file) = file else { return Ok(settings) };
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let settings = settings.in_folder(file.parent().unwrap_or(file));
    settings.with_file(&text).map_err(|error| format!("{}: {error}", file.display()))
}
