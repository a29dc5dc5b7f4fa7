//! The job addresses of the system before, in their time of grace: every answer says since when
//! they are deprecated, what stands for them, and when they end; after that they are gone.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, Request, State};
use axum::http::header::{HeaderName, LINK, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use onepath_core::{GenerationStatus, Operation};

use super::App;
use super::body::JsonText;
use super::events::{self, Voice};
use super::generations::call;
use super::path::Name;
use super::reply::{Reply, json, set};
use crate::clock::http_date;
use crate::problem::{Fault, Problem, ProblemCode};
use crate::service::Caller;
use crate::store::ListQuery;

/// When they were deprecated (RFC 9745): 14 December 2025.
const SINCE: &str = "@1765670400";

/// An answer to a known caller, whose call is counted.
async fn answer(
    app: &App,
    caller: &Caller,
    route: &'static str,
    work: impl Future<Output = Reply>,
) -> Reply {
    app.service.count_old_call(caller, route).await;
    tell(app, work).await
}

/// An answer with what its reader has to know. `work` is not begun once they are gone.
async fn tell(app: &App, work: impl Future<Output = Reply>) -> Reply {
    let sunset = app.service.sunset();
    let gone = sunset.is_some_and(|at| at <= app.service.clock.now());
    let reply = if gone {
        let detail = "jobs are generations now: /api/v1/generations";
        Err(Problem::new(ProblemCode::Gone, detail).into())
    } else {
        work.await
    };
    let mut response = reply.unwrap_or_else(|failure| failure.into_response());
    let headers = response.headers_mut();
    set(headers, HeaderName::from_static("deprecation"), SINCE);
    set(headers, LINK, "</api/v1/generations>; rel=\"successor-version\"");
    if let Some(date) = sunset.and_then(http_date) {
        set(headers, HeaderName::from_static("sunset"), &date);
    }
    Ok(response)
}

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    JsonText(text): JsonText,
) -> Reply {
    answer(&app, &caller, "POST /api/v1/jobs", async {
        let job = app.service.create_job(&caller, &text, call(&headers)?).await?;
        let mut response = json(StatusCode::CREATED, &job);
        set(response.headers_mut(), LOCATION, format!("/api/v1/jobs/{}", job.id));
        Ok(response)
    })
    .await
}

pub(super) async fn get(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    answer(&app, &caller, "GET /api/v1/jobs/{id}", async {
        Ok(json(StatusCode::OK, &app.service.job(&caller, &id).await?))
    })
    .await
}

pub(super) async fn cancel(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    answer(&app, &caller, "DELETE /api/v1/jobs/{id}", async {
        app.service.cancel_job(&caller, &id).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Reply {
    answer(&app, &caller, "GET /api/v1/jobs", async {
        let query = list_query(query.as_deref().unwrap_or(""))?;
        Ok(json(StatusCode::OK, &app.service.jobs(&caller, &query).await?))
    })
    .await
}

pub(super) async fn socket(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Reply {
    // What else a query said was passed over, as it was.
    let mut pairs = super::meta::query_pairs(query.as_deref().unwrap_or("")).into_iter();
    let token = pairs.find(|(name, _)| name == "token").map(|(_, value)| value);
    let caller = events::caller(&app, request, token.as_deref()).await;
    if let Ok(caller) = &caller {
        app.service.count_old_call(caller, "GET /api/v1/ws/jobs").await;
    }
    tell(&app, async {
        let upgrade = events::upgraded(upgrade)?;
        Ok(events::talk(app.clone(), upgrade, caller, None, Voice::Jobs))
    })
    .await
}

/// Reads the query of a list; what is not known is passed over, as it was.
fn list_query(query: &str) -> Result<ListQuery, Problem> {
    let mut wanted = ListQuery { limit: 50, count: true, ..ListQuery::default() };
    let mut faults = Vec::new();
    for (name, value) in super::meta::query_pairs(query) {
        let understood = match name.as_str() {
            _ if value.contains('\0') => false,
            "status" => {
                let word = if value == "queued" { "pending" } else { &value };
                wanted.status = GenerationStatus::parse(word);
                wanted.status.is_some()
            }
            "operation_type" => {
                wanted.operation = Operation::parse(&value);
                wanted.operation.is_some()
            }
            "workspace_id" => {
                wanted.workspace = Some(value.clone());
                true
            }
            "limit" => {
                wanted.limit = value.parse().unwrap_or(0);
                (1..=100).contains(&wanted.limit)
            }
            "offset" => {
                wanted.offset = value.parse().unwrap_or(usize::MAX);
                wanted.offset <= 100_000
            }
            _ => true,
        };
        if !understood {
            let detail = format!("`{value}` is not understood");
            faults.push(Fault::new(&format!("/{name}"), "query/not-understood", detail));
        }
    }
    if faults.is_empty() { Ok(wanted) } else { Err(Problem::faults(faults)) }
}
