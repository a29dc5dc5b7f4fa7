//! What describes the server: health, version, schemas, providers, operations.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use onepath_core::schema::{Draft, schemas};
use onepath_core::{CONTRACT_VERSION, generation_operations};
use serde_json::json;

use super::App;
use super::path::Name;
use super::reply::{self, Failure, Reply, bytes, set};
use crate::problem::{Problem, ProblemCode};
use crate::service::Caller;

pub(super) async fn health() -> Reply {
    Ok(reply::json(StatusCode::OK, &json!({ "status": "ok" })))
}

pub(super) async fn ready(State(app): State<App>) -> Reply {
    app.service.store.ping().await.map_err(Problem::from)?;
    Ok(reply::json(StatusCode::OK, &json!({ "status": "ready" })))
}

pub(super) async fn version() -> Reply {
    let version = json!({ "version": env!("CARGO_PKG_VERSION"), "contract": CONTRACT_VERSION });
    Ok(reply::json(StatusCode::OK, &version))
}

pub(super) async fn openapi() -> Reply {
    let text = serde_json::to_vec_pretty(&super::openapi()).unwrap_or_default();
    let mut response = bytes(StatusCode::OK, "application/json", text);
    set(response.headers_mut(), CACHE_CONTROL, "public, max-age=3600");
    Ok(response)
}

pub(super) async fn schema(Name(name): Name) -> Reply {
    of_draft(Draft::Draft202012, &name)
}

pub(super) async fn schema_for_editors(Name(name): Name) -> Reply {
    of_draft(Draft::Draft07, &name)
}

fn of_draft(draft: Draft, file: &str) -> Reply {
    let wanted = schemas(draft).into_iter().find(|schema| schema.file_name() == file);
    let wanted = wanted.ok_or_else(|| {
        Problem::new(ProblemCode::NotFound, format!("there is no schema `{file}`"))
    })?;
    let text = serde_json::to_vec_pretty(&wanted.schema).unwrap_or_default();
    let mut response = bytes(StatusCode::OK, "application/schema+json", text);
    set(response.headers_mut(), CACHE_CONTROL, "public, max-age=3600");
    Ok(response)
}

pub(super) async fn operations(_: Caller) -> Reply {
    Ok(reply::json(StatusCode::OK, &json!({ "operations": generation_operations() })))
}

pub(super) async fn providers(State(app): State<App>, _: Caller) -> Reply {
    let all: Vec<_> =
        app.service.providers.iter().map(|provider| provider.info().clone()).collect();
    Ok(reply::json(StatusCode::OK, &json!({ "providers": all })))
}

pub(super) async fn no_path() -> Failure {
    no_such_path()
}

/// There is nothing at a path.
pub(super) fn no_such_path() -> Failure {
    Problem::new(ProblemCode::NotFound, "there is no such path: /openapi.json lists them").into()
}

pub(super) async fn no_method() -> Failure {
    let detail = "the path does not have this method: /openapi.json lists them";
    Problem::new(ProblemCode::MethodNotAllowed, detail).into()
}

/// The pairs of a query, decoded.
pub(super) fn query_pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
