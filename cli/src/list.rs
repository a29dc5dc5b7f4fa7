//! `onepath list`: the caller's generations, newest first.

use onepath_client::Client;
use serde_json::Value;

use crate::remote::{ServerArgs, until_interrupted};
use crate::{Outcome, Run, print};

/// Options of `onepath list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// Only this status: pending, processing, completed, failed or cancelled
    #[arg(long)]
    status: Option<String>,
    /// Only this operation, such as `text_to_image`
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// Only this provider
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Only this world
    #[arg(long, value_name = "ID")]
    world: Option<String>,
    /// Only this folder
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// Only those with this text in name or description
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only what was created at this time (RFC 3339) or later
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
    /// Only what was created before this time
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
    /// How many at most; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// One JSON object a line, as the server says it
    #[arg(long)]
    json: bool,
}

/// What a page has at most.
const PAGE: u64 = 200;

pub(crate) fn run(args: &Args) -> Run {
    let client = args.server.client()?;
    until_interrupted(list(args, client), || ())
}

async fn list(args: &Args, client: Client) -> Run {
    let mut left = if args.limit == 0 { u64::MAX } else { args.limit };
    let mut cursor: Option<String> = None;
    while left > 0 {
        let limit = left.min(PAGE).to_string();
        let pairs = [
            ("status", args.status.as_deref()),
            ("operation_type", args.operation.as_deref()),
            ("provider_id", args.provider.as_deref()),
            ("world_id", args.world.as_deref()),
            ("workspace_id", args.workspace.as_deref()),
            ("q", args.search.as_deref()),
            ("created_after", args.after.as_deref()),
            ("created_before", args.before.as_deref()),
            ("limit", Some(limit.as_str())),
            ("cursor", cursor.as_deref()),
        ];
        let page = client.list_json(&query(&pairs)).await.map_err(|error| error.to_string())?;
        let all = page.get("generations").and_then(Value::as_array).cloned().unwrap_or_default();
        left = left.saturating_sub(all.len() as u64);
        for one in &all {
            print::line(&if args.json { one.to_string() } else { text(one) })?;
        }
        cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() || all.is_empty() {
            break;
        }
    }
    Ok(Outcome::Clean)
}

/// One line for people.
fn text(one: &Value) -> String {
    let word = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let is_late = one.get("overdue").and_then(Value::as_bool) == Some(true);
    let late = if is_late && word("status") != "completed" { "  overdue" } else { "" };
    let code = one
        .get("error_code")
        .and_then(Value::as_str)
        .map(|code| format!("  {code}"))
        .unwrap_or_default();
    let paused = if one.get("paused").is_some_and(Value::is_object) { "  paused" } else { "" };
    format!(
        "{}  {:<10}  {}  {}  {}  {}{code}{paused}{late}",
        word("id"),
        word("status"),
        one.pointer("/timings/created_at").and_then(Value::as_str).unwrap_or("-"),
        word("operation_type"),
        word("provider_id"),
        word("name"),
    )
}

/// Pairs as a query, encoded.
fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_was_meant() {
        let pairs = [("q", Some("a&b=ö %")), ("status", None), ("limit", Some("5"))];
        assert_eq!(query(&pairs), "q=a%26b%3D%C3%B6%20%25&limit=5");
    }
}
