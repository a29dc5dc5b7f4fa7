//! What is kept as an answer, over HTTP.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;

use super::App;
use super::body::JsonText;
use super::reply::{Reply, json};
use super::telemetry::window;
use crate::problem::{Fault, Place, Problem};
use crate::service::{Caller, InvalidateBody};

pub(super) async fn stats(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Reply {
    let window = window(query.as_deref())?;
    Ok(json(StatusCode::OK, &app.service.cache_stats(&caller, window).await?))
}

pub(super) async fn invalidate(
    State(app): State<App>,
    caller: Caller,
    JsonText(text): JsonText,
) -> Reply {
    let body: InvalidateBody = serde_json::from_str(&text).map_err(|error| {
        let fault = Fault::new("", "json/unreadable", error.to_string());
        if error.is_data() {
            return Problem::faults(vec![fault]);
        }
        let offset = offset(&text, error.line(), error.column());
        Problem::malformed(fault, Place::of(&text, offset))
    })?;
    Ok(json(StatusCode::OK, &app.service.invalidate(&caller, &body).await?))
}

/// The byte of a line and a column, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}
