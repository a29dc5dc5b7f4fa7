//! One operation of the document, made of its row in the table.

use onepath_core::schema::{Draft, PublishedSchema, schemas};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::super::table::{Gives, Route};
use crate::event::Frame;

/// What a route does, takes and gives.
pub(super) fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = path_parameters(route);
    parameters.extend(header_parameters(route));
    for parameter in route.query {
        parameters.push(json!({
            "name": parameter.name,
            "in": "query",
            "description": parameter.about,
            "required": false,
            "schema": (parameter.schema)(generator).to_value(),
        }));
    }
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.about,
        "tags": [route.tag],
        "security": security(route),
        "responses": responses(route, generator),
    });
    let Some(members) = operation.as_object_mut() else { return operation };
    if !parameters.is_empty() {
        members.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(body) = route.body {
        let schema = body(generator).to_value();
        members.insert(
            "requestBody".to_owned(),
            json!({ "required": true, "content": bodies(route.id, &schema) }),
        );
    }
    operation
}

/// The media types in which a body may come.
fn bodies(id: &str, schema: &Value) -> Value {
    let file = json!({ "type": "string", "format": "binary" });
    let mut json = json!({ "schema": schema });
    if let (Some(media), Some(example)) = (json.as_object_mut(), example(id)) {
        media.insert("example".to_owned(), example);
    }
    match id {
        "uploadAsset" => json!({
            "image/*": { "schema": schema },
            "video/*": { "schema": schema },
            "multipart/form-data": {
                "schema": { "type": "object", "properties": { "file": file } },
            },
        }),
        "createGeneration" => json!({
            "application/json": json,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "description": "Files beside the create: `input1`, `input2`, … take the place \
                                    of the references of their names.",
                    "properties": { "envelope": schema, "input1": file },
                    "required": ["envelope"],
                },
            },
        }),
        _ => json!({ "application/json": json }),
    }
}

/// Who may call: whoever has a key; where the query can say who reads, nobody needs one besides.
fn security(route: &Route) -> Value {
    let names = |name: &str| route.query.iter().any(|parameter| parameter.name == name);
    if names("signature") || names("token") {
        json!([{ "key": [] }, {}])
    } else if route.key {
        json!([{ "key": [] }])
    } else {
        json!([])
    }
}

/// Headers that an operation listens to.
fn header_parameters(route: &Route) -> Vec<Value> {
    let mut all = Vec::new();
    let mut header = |name: &str, about: &str, schema: Value| {
        all.push(json!({
            "name": name,
            "in": "header",
            "description": about,
            "required": false,
            "schema": schema,
        }));
    };
    let text = || json!({ "type": "string" });
    if route.key {
        let user = json!({ "type": "string", "minLength": 1, "maxLength": 255 });
        header("onepath-user", "The user for whom a backend acts.", user);
    }
    if route.starts_run() || route.id == "getGeneration" {
        header("Prefer", "`wait=N` waits up to N seconds for the end, 60 at most.", text());
    }
    if route.starts_run() && route.body.is_some() {
        let key = json!({
            "type": "string",
            "pattern": r#"^("[!#-\[\]-~]{1,255}"|[!#-\[\]-~]{1,255})$"#,
        });
        let about = "Makes the same call twice one call; kept for a day at least.";
        header("Idempotency-Key", about, key);
        header("traceparent", "The trace that the call is part of (W3C).", text());
    }
    if matches!(route.gives, Gives::Events) {
        let place = json!({ "type": "string", "pattern": "^[0-9]{1,18}$" });
        header("Last-Event-ID", "Events behind this place; counts before `cursor`.", place);
    }
    if route.good.iter().any(|(status, _)| *status == 304) {
        header("If-None-Match", "Answers 304 while the `ETag` is still this one.", text());
    }
    if route.bad.contains(&412) {
        header("If-Match", "Changes it only while the `ETag` is still this one.", text());
    }
    all
}

/// A body that is good, where one is not obvious.
fn example(id: &str) -> Option<Value> {
    Some(match id {
        "createGeneration" | "validateGeneration" | "preflightGeneration" => json!({
            "provider_id": "local",
            "config": {
                "generationType": "text_to_image",
                "purpose": "ambient",
                "strategy": "once",
                "prompt": "a lighthouse in fog",
                "fallback": { "mode": "skip" },
            },
        }),
        "simpleImageToVideo" => json!({
            "provider_id": "local",
            "prompt": "waves roll in",
            "image_url": "https://example.com/harbor.png",
        }),
        "buildSocialContext" => json!({
            "session": { "stats": { "relationships": { "npc:bram": { "trust": 40 } } } },
            "npc_ids": ["bram"],
        }),
        "patchGeneration" => json!({ "name": "Harbor at night", "tags": ["sea"] }),
        _ => return None,
    })
}

fn path_parameters(route: &Route) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": named(route, name) })
        })
        .collect()
}

/// What a name in a path may be.
fn named(route: &Route, name: &str) -> Value {
    if name == "name" && route.path.starts_with("/schema/") {
        let known = schemas(Draft::Draft202012);
        let known: Vec<String> = known.iter().map(PublishedSchema::file_name).collect();
        return json!({ "type": "string", "enum": known });
    }
    json!({ "type": "string", "minLength": 1 })
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut out = Map::new();
    for (status, about) in route.good {
        let mut response = json!({
            "description": about,
            "content": content(route, *status, generator),
        });
        if let Some(response) = response.as_object_mut() {
            response.extend(headers(route, *status));
            response.extend(links(route.id, *status));
        }
        out.insert(status.to_string(), response);
    }
    for status in route.problems() {
        let reference = json!({ "$ref": format!("#/components/responses/{status}") });
        out.insert(status.to_string(), reference);
    }
    Value::Object(out)
}

fn content(route: &Route, status: u16, generator: &mut SchemaGenerator) -> Value {
    match route.gives {
        _ if status == 304 => json!({}),
        Gives::Nothing => json!({}),
        Gives::Events => json!({ "text/event-stream": { "schema": event(generator) } }),
        Gives::Json(schema) => {
            json!({ "application/json": { "schema": schema(generator).to_value() } })
        }
        Gives::JsonOr(schema, media_type, other) => json!({
            "application/json": { "schema": schema(generator).to_value() },
            media_type: { "schema": other(generator).to_value() },
        }),
        Gives::AnyJson(media_type, about) => {
            json!({ media_type: { "schema": { "type": "object", "description": about } } })
        }
        Gives::Metrics => json!({ "text/plain": { "schema": { "type": "string" } } }),
        Gives::Picture => {
            let binary = json!({ "schema": { "type": "string", "format": "binary" } });
            json!({ "image/*": binary, "video/*": binary })
        }
    }
}

/// One event of a stream.
fn event(generator: &mut SchemaGenerator) -> Value {
    let frame = generator.subschema_for::<Frame>().to_value();
    json!({
        "type": "object",
        "description": "One event; there is no end.",
        "properties": {
            "id": { "type": "string", "description": "The place of the event." },
            "event": { "type": "string", "description": "Its `type`." },
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": frame,
            },
        },
        "required": ["id", "event", "data"],
    })
}

/// The headers of an answer that callers go on with.
fn headers(route: &Route, status: u16) -> Map<String, Value> {
    let mut all = Map::new();
    let mut header = |name: &str, about: &str| {
        let described = json!({ "description": about, "schema": { "type": "string" } });
        all.insert(name.to_owned(), described);
    };
    if route.starts_run() && route.body.is_some() {
        header("Location", "The generation.");
        header(
            "Onepath-Remaining",
            "What is left of the plan, such as `in_flight=2, runs_month=97`; absent where nothing \
             is limited.",
        );
        header("Onepath-Resets-At", "When the plan's month starts anew (RFC 3339).");
    }
    if route.good.iter().any(|(status, _)| *status == 304) {
        header("ETag", "Changes with every change.");
    }
    if route.query.iter().any(|parameter| parameter.name == "cursor")
        && matches!(route.gives, Gives::Json(_))
    {
        header("Link", "`rel=\"next\"`: the next page; absent on the last.");
    }
    match (all.is_empty(), status) {
        (true, _) | (_, 304) => Map::new(),
        (false, _) => Map::from_iter([("headers".to_owned(), Value::Object(all))]),
    }
}

/// Where an answer leads: what may be done with what it names.
fn links(id: &str, status: u16) -> Map<String, Value> {
    let to = |operations: &[&str], at: &str| {
        let link = |operation: &&str| {
            let id = format!("$response.body#{at}");
            let link = json!({ "operationId": operation, "parameters": { "id": id } });
            ((*operation).to_owned(), link)
        };
        let links: Map<String, Value> = operations.iter().map(link).collect();
        Map::from_iter([("links".to_owned(), Value::Object(links))])
    };
    match (id, status) {
        ("createGeneration" | "simpleImageToVideo", 200 | 202) => to(
            &[
                "getGeneration",
                "cancelGeneration",
                "retryGeneration",
                "patchGeneration",
                "deleteGeneration",
            ],
            "/id",
        ),
        ("listGenerations", 200) => to(&["getGeneration"], "/generations/0/id"),
        ("getGeneration", 200) => to(&["getAssetFile"], "/asset_id"),
        _ => Map::new(),
    }
}
