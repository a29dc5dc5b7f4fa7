//! `onepath legacy report`: who still calls the old API, and when it may go.

use onepath_server::service::{LegacyReport, LegacyUse};

use crate::admin::open;
use crate::serve::Place;
use crate::{Outcome, Run, account, print};

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    place: Place,
    /// How many days nobody may have called before it may go
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ReportArgs) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    let report = runtime.block_on(async {
        open(&args.place)?.service().legacy_report(args.days).await.map_err(account::told)
    })?;
    if args.json {
        print::line(&serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?)?;
    } else {
        for line in &report.callers {
            print::line(&told(line))?;
        }
        print::line(&verdict(&report))?;
    }
    Ok(if report.safe { Outcome::Clean } else { Outcome::Findings })
}

fn told(line: &LegacyUse) -> String {
    let LegacyUse { key_id, route, calls, last_at, .. } = line;
    let calls = if *calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
    let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let revoked = if line.revoked { "  revoked" } else { "" };
    format!(
        "{route}  {calls}, the last {last_at}  key {key_id} ({})  tenant {}  user {}{revoked}",
        of(&line.key_name),
        of(&line.tenant),
        of(&line.user_id),
    )
}

fn verdict(report: &LegacyReport) -> String {
    let LegacyReport { quiet_days, safe_at, last_call_at, .. } = report;
    let last = last_call_at.as_ref().map_or("nobody calls".to_owned(), |at| {
        format!("the last call with a key that works was {at}")
    });
    if report.safe {
        format!("safe to remove: {last}, and {quiet_days} days were quiet")
    } else {
        format!("not safe to remove yet: {last}; it is from {safe_at} if nobody calls until then")
    }
}
