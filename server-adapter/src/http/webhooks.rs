//! What providers report.

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse as _;
use bytes::Bytes;

use super::App;
use super::body::bounded;
use super::path::Name;
use super::reply::{Failure, Reply};
use crate::problem::{Problem, ProblemCode};

/// The largest webhook: with an input as a data URL and a long log.
const MOST_BYTES: usize = 4 << 20;

/// A provider and the token of an attempt.
#[derive(Debug)]
pub(super) struct Door {
    provider: String,
    token: String,
}

impl FromRequestParts<App> for Door {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, app).await;
        let Path((provider, token)) = path
            .map_err(|_| Problem::new(ProblemCode::NotFound, "nobody waits for a webhook here"))?;
        Ok(Self { provider, token })
    }
}

/// A webhook whose path says what it is about.
pub(super) async fn behind_door(State(app): State<App>, door: Door, request: Request) -> Reply {
    // A token that is not known is refused before anything else is read.
    let target = app.service.webhook_target(&door.provider, &door.token).await?;
    let (parts, body) = request.into_parts();
    let body: Bytes = bounded(&app, &parts.headers, body, MOST_BYTES).await?;
    app.service.take_webhook(target, &parts.headers, &body).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A webhook that says itself what it is about.
pub(super) async fn by_name(
    State(app): State<App>,
    Name(provider): Name,
    request: Request,
) -> Reply {
    let (parts, body) = request.into_parts();
    let body: Bytes = bounded(&app, &parts.headers, body, MOST_BYTES).await?;
    let target = app.service.webhook_named(&provider, &parts.headers, &body).await?;
    app.service.take_webhook(target, &parts.headers, &body).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
