//! Telemetry: how runs went, and the text that Prometheus reads.

use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use onepath_core::Operation;

use super::App;
use super::meta::query_pairs;
use super::path::Name;
use super::reply::{Reply, json};
use crate::problem::{Fault, Problem, ProblemCode};
use crate::service::Caller;
use crate::store::Role;
use crate::telemetry::{Window, metrics};

/// The window of a query: the last day unless it says otherwise.
pub(super) fn window(query: Option<&str>) -> Result<Window, Problem> {
    let mut window = Window::Day;
    for (name, value) in query_pairs(query.unwrap_or("")) {
        if name != "window" {
            let detail = format!("there is no query `{name}`; there is `window`");
            return Err(Problem::faults(vec![Fault::new("", "query/unknown", detail)]));
        }
        window = Window::parse(&value).ok_or_else(|| {
            let words = Window::ALL.map(|(word, _)| word).join(", ");
            let detail = format!("`{value}` is no window; there are {words}");
            Problem::faults(vec![Fault::new("", "query/window", detail)])
        })?;
    }
    Ok(window)
}

pub(super) async fn providers(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Reply {
    let window = window(query.as_deref())?;
    Ok(json(StatusCode::OK, &app.service.providers_telemetry(&caller, window).await?))
}

pub(super) async fn provider(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    RawQuery(query): RawQuery,
) -> Reply {
    let window = window(query.as_deref())?;
    Ok(json(StatusCode::OK, &app.service.provider_telemetry(&caller, &id, window).await?))
}

pub(super) async fn operation(
    State(app): State<App>,
    caller: Caller,
    Name(word): Name,
    RawQuery(query): RawQuery,
) -> Reply {
    let window = window(query.as_deref())?;
    let operation = Operation::parse(&word).ok_or_else(|| Problem::not_found("operation"))?;
    Ok(json(StatusCode::OK, &app.service.operation_telemetry(&caller, operation, window).await?))
}

/// Everything that this process recorded.
pub(super) async fn scrape(State(app): State<App>, caller: Caller) -> Reply {
    if caller.role != Role::Backend {
        let detail = "only keys with the role `backend` read metrics";
        return Err(Problem::new(ProblemCode::Forbidden, detail).into());
    }
    metrics::in_flight(&app.service.store.in_flight().await.map_err(Problem::from)?);
    let elsewhere = "the program around this server records metrics itself: ask it";
    let text = metrics::render().ok_or_else(|| Problem::new(ProblemCode::NotFound, elsewhere))?;
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(CONTENT_TYPE, media_type)], text).into_response())
}
