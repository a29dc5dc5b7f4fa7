//! Tables that are looked up: codes, schemas, providers.

use std::path::PathBuf;

use onepath_core::schema::{Draft, schemas};
use onepath_core::{Code, providers as known_providers};

use crate::print::Out;
use crate::{Outcome, Run};

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// A code such as `duration/min-exceeds-max`; all codes are listed if absent
    code: Option<String>,
}

pub(crate) fn explain(args: &ExplainArgs) -> Run {
    let mut out = Out::new();
    let Some(slug) = &args.code else {
        for code in Code::ALL {
            out.line(&format!("{:<36} {}", code.slug(), code.severity().word()))?;
        }
        out.finish()?;
        return Ok(Outcome::Clean);
    };
    let Some(code) = Code::parse(slug) else {
        let tail = slug.rsplit('/').next().unwrap_or(slug);
        let near = Code::ALL.iter().find(|code| !tail.is_empty() && code.slug().contains(tail));
        let help = near.map_or_else(String::new, |code| format!("; did you mean `{code}`?"));
        return Err(format!("`{slug}` is no code{help} (`onepath explain` lists them)"));
    };
    out.line(&format!("{} ({})", code.slug(), code.severity().word()))?;
    out.line("")?;
    out.line(code.explanation())?;
    if code.refuses_build() {
        out.line("No request is built while it stands.")?;
    }
    out.finish()?;
    Ok(Outcome::Clean)
}

#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// A type such as `SceneFile`, or the name of its file; the types are listed if absent
    name: Option<String>,
    /// The draft of JSON Schema
    #[arg(long, value_enum, default_value = "2020-12")]
    draft: DraftArg,
    /// Write every schema, in both drafts, into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "name")]
    write: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum DraftArg {
    /// Draft 2020-12, the canonical one
    #[value(name = "2020-12")]
    Draft202012,
    /// Draft-07, for editors
    #[value(name = "07")]
    Draft07,
}

pub(crate) fn schema(args: &SchemaArgs) -> Run {
    let draft = match args.draft {
        DraftArg::Draft202012 => Draft::Draft202012,
        DraftArg::Draft07 => Draft::Draft07,
    };
    let mut out = Out::new();
    if let Some(folder) = &args.write {
        for (draft, folder) in
            [(Draft::Draft202012, folder.clone()), (Draft::Draft07, folder.join("draft-07"))]
        {
            let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
            std::fs::create_dir_all(&folder).map_err(fail)?;
            for published in schemas(draft) {
                let path = folder.join(published.file_name());
                std::fs::write(path, pretty(&published.schema)? + "\n").map_err(fail)?;
            }
        }
        return Ok(Outcome::Clean);
    }
    let all = schemas(draft);
    let Some(name) = &args.name else {
        for published in &all {
            out.line(published.name)?;
        }
        out.finish()?;
        return Ok(Outcome::Clean);
    };
    let wanted = |known: &str| known.eq_ignore_ascii_case(&name.replace(['-', '_'], ""));
    let found = all
        .iter()
        .find(|published| wanted(published.name) || published.file_name() == *name)
        .ok_or_else(|| {
            format!("`{name}` is no type with a schema (`onepath schema` lists them)")
        })?;
    out.line(&pretty(&found.schema)?)?;
    out.finish()?;
    Ok(Outcome::Clean)
}

fn pretty(value: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|error| error.to_string())
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProvidersArgs {
    /// Print the whole declarations as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn providers(args: &ProvidersArgs) -> Run {
    let mut out = Out::new();
    if args.json {
        out.line(&pretty(&known_providers())?)?;
    } else {
        for info in known_providers() {
            out.line(info.id.as_str())?;
            let operations: Vec<&str> =
                info.operations.iter().flatten().map(|operation| operation.word()).collect();
            out.line(&format!("  operations  {}", operations.join(", ")))?;
            let mut settings: Vec<&str> = Vec::new();
            for parameter in info.parameters.iter().flatten() {
                if !settings.contains(&parameter.name.as_str()) {
                    settings.push(parameter.name.as_str());
                }
            }
            out.line(&format!("  settings    {}", settings.join(", ")))?;
            for (name, value) in info.defaults.iter().flat_map(|defaults| defaults.iter()) {
                out.line(&format!("  default     {name} = {}", pretty(value)?))?;
            }
            for parameter in info.parameters.iter().flatten() {
                if let Some(value) = &parameter.default {
                    let words = parameter.operations.iter().flatten().map(|one| one.word());
                    let of: Vec<&str> = words.collect();
                    let of =
                        if of.is_empty() { String::new() } else { format!(" ({})", of.join(", ")) };
                    out.line(&format!(
                        "  default     {} = {}{of}",
                        parameter.name,
                        pretty(value)?
                    ))?;
                }
            }
        }
    }
    out.finish()?;
    Ok(Outcome::Clean)
}
