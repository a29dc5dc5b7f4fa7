//! Who still calls the old API, for operators.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use schemars::{Schema, SchemaGenerator};

use super::App;
use super::reply::{Reply, json};
use super::table::{Gives, OK, Parameter, Route, of, route_get};
use crate::problem::{Fault, Problem};
use crate::service::{Caller, LegacyReport};

fn days(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 3650, "default": 30 })
}

const DAYS: &[Parameter] = &[Parameter {
    name: "days",
    about: "How many days nobody may have called before it may go.",
    schema: days,
}];

/// The routes.
pub(super) fn routes() -> Vec<Route> {
    vec![Route {
        method: "get",
        path: "/api/v1/legacy/report",
        id: "legacyReport",
        about: "Who still calls what of the old API, and when it may go; for operators.",
        tag: "operators",
        key: true,
        query: DAYS,
        body: None,
        good: OK,
        gives: Gives::Json(of::<LegacyReport>),
        bad: &[401, 403, 422, 503],
        handler: || route_get(report),
    }]
}

async fn report(State(app): State<App>, caller: Caller, RawQuery(query): RawQuery) -> Reply {
    caller.operator()?;
    let mut days = 30;
    for (name, value) in super::meta::query_pairs(query.as_deref().unwrap_or("")) {
        let fault = |detail: String| {
            Problem::faults(vec![Fault::new(&format!("/{name}"), "query/not-understood", detail)])
        };
        if name != "days" {
            return Err(fault("it is not known: days".to_owned()).into());
        }
        days = value
            .parse()
            .ok()
            .filter(|days| (1..=3650).contains(days))
            .ok_or_else(|| fault(format!("`{value}` is no number of days: 1 to 3650")))?;
    }
    Ok(json(StatusCode::OK, &app.service.legacy_report(days).await?))
}
