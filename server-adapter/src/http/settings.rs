//! What operators change while everything runs, over HTTP.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use onepath_core::canonicalize;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::App;
use super::body::JsonText;
use super::reply::{Reply, json};
use super::table::{Gives, OK, Parameter, Route, of, route_get, route_patch, whole_1_to_200};
use crate::problem::{Fault, Problem};
use crate::service::{Caller, SettingHistory, SettingList};

const HISTORY: &[Parameter] = &[
    Parameter {
        name: "name",
        about: "Only changes of this setting, such as `submission`.",
        schema: of::<String>,
    },
    Parameter { name: "limit", about: "How many at most.", schema: whole_1_to_200 },
];

fn changes(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "description": "Settings by name, such as `{\"submission:replicate\": false, \
                        \"retry:provider_timeout\": 3}`; null takes one back. `GET` lists all names.",
        "additionalProperties": true,
    })
}

/// The routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route {
            method: "get",
            path: "/api/v1/settings",
            id: "listSettings",
            about: "What operators have changed while everything runs, and what they may; for operators.",
            tag: "operators",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<SettingList>),
            bad: &[401, 403, 503],
            handler: || route_get(list),
        },
        Route {
            method: "patch",
            path: "/api/v1/settings",
            id: "changeSettings",
            about: "Changes settings (RFC 7396), all of them or none; for operators.",
            tag: "operators",
            key: true,
            query: &[],
            body: Some(changes),
            good: &[(200, "Every process goes by it within five seconds.")],
            gives: Gives::Json(of::<SettingList>),
            bad: &[400, 401, 403, 408, 413, 415, 422, 503],
            handler: || route_patch(change),
        },
        Route {
            method: "get",
            path: "/api/v1/settings/history",
            id: "listSettingChanges",
            about: "Who changed which setting when, newest first; for operators.",
            tag: "operators",
            key: true,
            query: HISTORY,
            body: None,
            good: OK,
            gives: Gives::Json(of::<SettingHistory>),
            bad: &[401, 403, 422, 503],
            handler: || route_get(history),
        },
    ]
}

async fn list(State(app): State<App>, caller: Caller) -> Reply {
    caller.operator()?;
    Ok(json(StatusCode::OK, &app.service.settings().await?))
}

async fn change(State(app): State<App>, caller: Caller, JsonText(text): JsonText) -> Reply {
    caller.operator()?;
    // The reader of every door: a member that stands twice is a fault here, too.
    let text = canonicalize(&text).map_err(|refusal| Problem::unread(&text, refusal.findings()))?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Problem::faults(vec![Fault::new("", "json/syntax", error.to_string())]))?;
    let Some(changes) = value.as_object() else {
        let fault =
            Fault::new("", "setting/not-understood", "an object is wanted: names and values");
        return Err(Problem::faults(vec![fault]).into());
    };
    let author = format!("{}@{}", caller.reader.user, caller.reader.tenant);
    Ok(json(StatusCode::OK, &app.service.change_settings(&author, changes).await?))
}

async fn history(State(app): State<App>, caller: Caller, RawQuery(query): RawQuery) -> Reply {
    caller.operator()?;
    let (mut named, mut limit, mut faults) = (None, 50, Vec::new());
    for (name, value) in super::meta::query_pairs(query.as_deref().unwrap_or("")) {
        let fault = |detail: &str| Fault::new(&format!("/{name}"), "query/not-understood", detail);
        match name.as_str() {
            _ if value.contains('\0') => faults.push(fault("the character U+0000 is in no text")),
            "name" => named = Some(value),
            "limit" => match value.parse() {
                Ok(number @ 1..=200) => limit = number,
                _ => faults.push(fault("a whole number from 1 to 200")),
            },
            _ => faults.push(fault("it is not known: name, limit")),
        }
    }
    if !faults.is_empty() {
        return Err(Problem::faults(faults).into());
    }
    Ok(json(StatusCode::OK, &app.service.setting_history(named.as_deref(), limit).await?))
}
