//! What describes the server: health, version, schemas, providers, operations.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use onepath_core::schema::{Draft, schemas};
use onepath_core::{CONTRACT_VERSION, OperationRow, ProviderInfo, generation_operations};
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::path::Name;
use super::reply::{self, Failure, Reply, document};
use crate::problem::{Problem, ProblemCode};
use crate::service::Caller;

/// Whether it is well.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(super) struct StatusResponse {
    /// `ok` or `ready`.
    status: &'static str,
}

/// Which program answers.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(super) struct VersionResponse {
    /// Of the program.
    version: &'static str,
    /// Of the canonical contract, by which hashes and keys are made.
    contract: u32,
}

/// Every generation type with its operation.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct OperationsResponse {
    /// In the order of the documentation.
    operations: Vec<OperationRow>,
}

/// The providers that there are.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct ProvidersResponse {
    /// Every one with what it declares, those of this server first.
    #[schemars(with = "Vec<ProviderInfo<'static>>")]
    providers: Vec<serde_json::Value>,
    /// The ids of those that this server can ask.
    configured: Vec<String>,
}

pub(super) async fn health() -> Reply {
    Ok(reply::json(StatusCode::OK, &StatusResponse { status: "ok" }))
}

pub(super) async fn ready(State(app): State<App>) -> Reply {
    app.service.store.ping().await.map_err(Problem::from)?;
    Ok(reply::json(StatusCode::OK, &StatusResponse { status: "ready" }))
}

pub(super) async fn version() -> Reply {
    let version = env!("CARGO_PKG_VERSION");
    Ok(reply::json(StatusCode::OK, &VersionResponse { version, contract: CONTRACT_VERSION }))
}

pub(super) async fn openapi(headers: HeaderMap) -> Reply {
    // The same for every call: it is made once.
    static TEXT: LazyLock<Vec<u8>> =
        LazyLock::new(|| serde_json::to_vec_pretty(&super::openapi()).unwrap_or_default());
    Ok(document(&headers, "application/json", TEXT.clone()))
}

pub(super) async fn schema(headers: HeaderMap, Name(name): Name) -> Reply {
    of_draft(&headers, Draft::Draft202012, &name)
}

pub(super) async fn schema_for_editors(headers: HeaderMap, Name(name): Name) -> Reply {
    of_draft(&headers, Draft::Draft07, &name)
}

fn of_draft(headers: &HeaderMap, draft: Draft, file: &str) -> Reply {
    let wanted = schemas(draft).into_iter().find(|schema| schema.file_name() == file);
    let wanted = wanted.ok_or_else(|| {
        Problem::new(ProblemCode::NotFound, format!("there is no schema `{file}`"))
    })?;
    let text = serde_json::to_vec_pretty(&wanted.schema).unwrap_or_default();
    Ok(document(headers, "application/schema+json", text))
}

pub(super) async fn operations(_: Caller) -> Reply {
    Ok(reply::json(StatusCode::OK, &OperationsResponse { operations: generation_operations() }))
}

pub(super) async fn providers(State(app): State<App>, _: Caller) -> Reply {
    let here = &app.service.providers;
    let others = onepath_core::providers().iter();
    let others = others.filter(|info| here.get(info.id.as_str()).is_none());
    let all = here.iter().map(|provider| provider.info()).chain(others);
    let providers = all.map(serde_json::to_value).collect::<Result<_, _>>();
    let providers =
        providers.map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
    let configured = here.iter().map(|provider| provider.info().id.as_str().to_owned()).collect();
    Ok(reply::json(StatusCode::OK, &ProvidersResponse { providers, configured }))
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
