//! `onepath doctor`: settings with their source, and whether everything a server needs is there.

use clap::Args as ClapArgs;
use onepath_server::doctor::{Check, Verdict, examine};

use crate::config::Setting;
use crate::{Outcome, Run, print, serve};

/// Options of `onepath doctor`.
#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    serve: serve::Args,
    /// Read the whole database for damage too
    #[arg(long)]
    deep: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &DoctorArgs, settings: &[Setting]) -> Run {
    let server = args.serve.settings()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    let checks = runtime.block_on(examine(&server, args.deep));
    let settings: Vec<&Setting> = settings
        .iter()
        .filter(|setting| !matches!(setting.name.as_str(), "deep" | "json"))
        .collect();
    if args.json {
        let settings: Vec<_> = settings
            .iter()
            .map(|setting| {
                serde_json::json!({
                    "name": setting.name,
                    "value": setting.value,
                    "source": setting.source.word(),
                })
            })
            .collect();
        let told = serde_json::json!({ "settings": settings, "checks": checks });
        print::line(&told.to_string())?;
    } else {
        print::line("settings")?;
        for setting in settings {
            let value = setting.value.as_deref().unwrap_or("-");
            let source = setting.source.word();
            print::line(&format!("  {:<24} {value}  ({source})", setting.name))?;
        }
        print::line("checks")?;
        for Check { name, verdict, detail } in &checks {
            let verdict = match verdict {
                Verdict::Good => "good",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED",
            };
            print::line(&format!("  {name:<24} {verdict}: {detail}"))?;
        }
    }
    let failed = checks.iter().any(|check| check.verdict == Verdict::Failed);
    Ok(if failed { Outcome::Findings } else { Outcome::Clean })
}
