//! `/_fake`: how a fake is looked at and told how to behave.

use axum::http::Method;
use serde_json::json;

use crate::Shared;
use crate::http::{Asked, Reply};
use crate::switches::Switches;

pub(crate) fn answer(shared: &Shared, asked: &Asked) -> Reply {
    match (asked.method.clone(), asked.path.as_str()) {
        (Method::GET, "/_fake") => {
            let book = shared.book();
            Reply::json(
                200,
                &json!({
                    "provider": shared.kind.id(),
                    "ends": shared.kind.ends(),
                    "predictions": book.ids(),
                    "charges": book.charges().len(),
                    "webhooks": book.webhooks(),
                    "switches": *shared.switches(),
                }),
            )
        }
        (Method::GET, "/_fake/switches") => Reply::json(200, &json!(*shared.switches())),
        (Method::PUT, "/_fake/switches") => match serde_json::from_slice::<Switches>(&asked.body) {
            Ok(switches) if known(shared, &switches) => {
                *shared.switches() = switches;
                Reply::json(200, &json!(*shared.switches()))
            }
            Ok(switches) => {
                let ends = shared.kind.ends();
                let detail = format!("`{}` is no end here: {}", switches.end, ends.join(", "));
                Reply::json(400, &json!({ "detail": detail }))
            }
            Err(error) => Reply::json(400, &json!({ "detail": error.to_string() })),
        },
        (Method::GET, "/_fake/charges") => Reply::json(200, &json!(shared.book().charges())),
        (Method::GET, "/_fake/creates") => Reply::json(200, &json!(shared.book().creates())),
        (Method::GET, "/_fake/asked") => Reply::json(200, &json!(shared.book().bodies())),
        _ => Reply::json(404, &json!({ "detail": "see the README of onepath-fakes" })),
    }
}

fn known(shared: &Shared, switches: &Switches) -> bool {
    switches.end.is_empty() || shared.kind.ends().contains(&switches.end.as_str())
}
