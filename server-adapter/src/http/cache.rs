//! What is kept as an answer, over HTTP.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;

use super::App;
use super::body::{JsonText, read};
use super::reply::{Reply, json};
use super::telemetry::window;
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
    let body: InvalidateBody = read(&text)?;
    Ok(json(StatusCode::OK, &app.service.invalidate(&caller, &body).await?))
}
