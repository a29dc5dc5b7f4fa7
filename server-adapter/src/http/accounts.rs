//! Accounts at providers, for operators.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use schemars::{Schema, SchemaGenerator};

use super::App;
use super::body::JsonText;
use super::path::Name;
use super::reply::{Reply, json};
use super::table::{
    Gives, OK, Parameter, Route, of, route_delete, route_get, route_patch, route_post,
};
use crate::problem::{Fault, Problem};
use crate::service::{AccountListResponse, AccountView, Caller, read_account};
use crate::store::AccountQuery;

const FILTER: &[Parameter] = &[
    Parameter {
        name: "tenant",
        about: "Only accounts that work for this tenant: its own, and shared ones.",
        schema: of::<String>,
    },
    Parameter {
        name: "provider_id",
        about: "Only accounts at this provider.",
        schema: of::<String>,
    },
];

fn change(_: &mut SchemaGenerator) -> Schema {
    schema(serde_json::json!({}), &[])
}

fn new(_: &mut SchemaGenerator) -> Schema {
    let more = serde_json::json!({
        "id": { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" },
        "provider_id": { "type": "string" },
    });
    schema(more, &["id", "provider_id"])
}

fn schema(more: serde_json::Value, required: &[&str]) -> Schema {
    let mut properties = serde_json::json!({
        "tenant": {
            "type": ["string", "null"], "minLength": 1, "maxLength": 255,
            "description": "Whose it is; null if it works for every tenant.",
        },
        "endpoint": {
            "type": ["string", "null"], "maxLength": 255, "pattern": "^https?://[^/@?#]+(/[^@?#]*[^/@?#])?$",
            "description": "Where the provider is asked, if not at its usual address. It changes \
                            only together with the key.",
        },
        "key": {
            "type": ["string", "null"], "minLength": 1, "maxLength": 4096, "writeOnly": true,
            "description": "The provider's key; kept sealed, and never shown again.",
        },
        "key_env": {
            "type": ["string", "null"], "pattern": "^ONEPATH_ACCOUNT_[A-Za-z0-9_]*$",
            "description": "The environment variable that holds the provider's key.",
        },
        "priority": { "type": "integer", "minimum": 0, "maximum": 10 },
        "concurrency": { "type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000 },
        "daily_limit": { "type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000 },
        "enabled": { "type": "boolean" },
    });
    if let (Some(all), serde_json::Value::Object(more)) = (properties.as_object_mut(), more) {
        all.extend(more);
    }
    schemars::json_schema!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route {
            method: "get",
            path: "/api/v1/accounts",
            id: "listAccounts",
            about: "Accounts at providers, with slots in use, credits and rests; for operators.",
            tag: "operators",
            key: true,
            query: FILTER,
            body: None,
            good: OK,
            gives: Gives::Json(of::<AccountListResponse>),
            bad: &[401, 403, 422, 503],
            handler: || route_get(list),
        },
        Route {
            method: "post",
            path: "/api/v1/accounts",
            id: "createAccount",
            about: "Tells of an account at a provider; for operators.",
            tag: "operators",
            key: true,
            query: &[],
            body: Some(new),
            good: &[(201, "It is used from now on.")],
            gives: Gives::Json(of::<AccountView>),
            bad: &[400, 401, 403, 408, 409, 413, 415, 422, 503],
            handler: || route_post(create),
        },
        Route {
            method: "get",
            path: "/api/v1/accounts/{id}",
            id: "getAccount",
            about: "One account; for operators.",
            tag: "operators",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<AccountView>),
            bad: &[401, 403, 404, 503],
            handler: || route_get(get),
        },
        Route {
            method: "patch",
            path: "/api/v1/accounts/{id}",
            id: "patchAccount",
            about: "Changes an account (RFC 7396); for operators.",
            tag: "operators",
            key: true,
            query: &[],
            body: Some(change),
            good: OK,
            gives: Gives::Json(of::<AccountView>),
            bad: &[400, 401, 403, 404, 408, 409, 413, 415, 422, 503],
            handler: || route_patch(patch),
        },
        Route {
            method: "delete",
            path: "/api/v1/accounts/{id}",
            id: "deleteAccount",
            about: "Removes an account that nothing uses; for operators.",
            tag: "operators",
            key: true,
            query: &[],
            body: None,
            good: &[(204, "It is gone.")],
            gives: Gives::Nothing,
            bad: &[401, 403, 404, 409, 503],
            handler: || route_delete(remove),
        },
        Route {
            method: "post",
            path: "/api/v1/accounts/{id}/heal",
            id: "healAccount",
            about: "Ends the rest of an account that was put right; for operators.",
            tag: "operators",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<AccountView>),
            bad: &[401, 403, 404, 503],
            handler: || route_post(heal),
        },
    ]
}

async fn list(State(app): State<App>, caller: Caller, RawQuery(query): RawQuery) -> Reply {
    caller.operator()?;
    let mut wanted = AccountQuery::default();
    let mut faults = Vec::new();
    for (name, value) in super::meta::query_pairs(query.as_deref().unwrap_or("")) {
        let fault = |detail: &str| Fault::new(&format!("/{name}"), "query/not-understood", detail);
        match name.as_str() {
            _ if value.contains('\0') => {
                faults.push(fault("the character U+0000 is in no text"));
            }
            "tenant" => wanted.tenant = Some(value),
            "provider_id" => wanted.provider = Some(value),
            _ => faults.push(fault("it is not known: tenant, provider_id")),
        }
    }
    if !faults.is_empty() {
        return Err(Problem::faults(faults).into());
    }
    Ok(json(StatusCode::OK, &app.service.accounts(&wanted).await?))
}

async fn create(State(app): State<App>, caller: Caller, JsonText(text): JsonText) -> Reply {
    caller.operator()?;
    let account = app.service.add_account(&read_account(&text, true)?).await?;
    Ok(json(StatusCode::CREATED, &account))
}

async fn get(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    caller.operator()?;
    Ok(json(StatusCode::OK, &app.service.account_view(&id).await?))
}

async fn patch(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    JsonText(text): JsonText,
) -> Reply {
    caller.operator()?;
    let change = read_account(&text, false)?.change;
    Ok(json(StatusCode::OK, &app.service.change_account(&id, &change).await?))
}

async fn remove(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    caller.operator()?;
    app.service.remove_account(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn heal(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    caller.operator()?;
    Ok(json(StatusCode::OK, &app.service.heal_account(&id).await?))
}
