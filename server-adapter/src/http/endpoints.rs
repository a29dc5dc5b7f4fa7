//! Endpoints of a tenant, and what they were told.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;

use super::App;
use super::body::JsonText;
use super::path::Name;
use super::reply::{self, Reply};
use crate::problem::{Fault, Problem};
use crate::service::{Caller, EndpointBody};

fn read(text: &str) -> Result<EndpointBody, Problem> {
    serde_json::from_str(text)
        .map_err(|error| Problem::faults(vec![Fault::new("", "json/syntax", error.to_string())]))
}

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    JsonText(text): JsonText,
) -> Reply {
    let made = app.service.create_endpoint(&caller, &read(&text)?).await?;
    Ok(reply::json(StatusCode::CREATED, &made))
}

pub(super) async fn list(State(app): State<App>, caller: Caller) -> Reply {
    Ok(reply::json(StatusCode::OK, &app.service.endpoints(&caller).await?))
}

pub(super) async fn patch(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    JsonText(text): JsonText,
) -> Reply {
    let body = read(&text)?;
    Ok(reply::json(StatusCode::OK, &app.service.patch_endpoint(&caller, &id, &body).await?))
}

pub(super) async fn delete(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    app.service.delete_endpoint(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn rotate(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(reply::json(StatusCode::OK, &app.service.rotate_secret(&caller, &id).await?))
}

pub(super) async fn test(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(reply::json(StatusCode::OK, &app.service.ping_endpoint(&caller, &id).await?))
}

pub(super) async fn deliveries(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    RawQuery(query): RawQuery,
) -> Reply {
    let pairs = super::meta::query_pairs(query.as_deref().unwrap_or(""));
    let find = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, text)| text);
    let limit = find("limit").and_then(|text| text.parse().ok()).unwrap_or(50).clamp(1, 200);
    let before = find("cursor").map(String::as_str).filter(|text| !text.contains('\0'));
    Ok(reply::json(StatusCode::OK, &app.service.deliveries(&caller, &id, before, limit).await?))
}

pub(super) async fn replay(
    State(app): State<App>,
    caller: Caller,
    Path((id, delivery)): Path<(String, String)>,
) -> Reply {
    app.service.replay(&caller, &id, &delivery).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
