//! OpenAPI 3.1, assembled from the table of routes and the schemas of the types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::table::{Gives, Route, routes};
use crate::problem::{Problem, ProblemCode};

/// The description of the HTTP API.
#[must_use]
pub fn openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let operation = operation(&route, &mut generator);
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.to_owned(), operation);
        }
    }
    let problem = schema::<Problem>(&mut generator);
    let mut responses = Map::new();
    for code in ProblemCode::ALL {
        let described = json!({
            "description": code.title(),
            "content": { "application/problem+json": { "schema": problem.clone() } },
        });
        responses.entry(code.status().to_string()).or_insert(described);
    }
    // Frames are inside of a stream, where no schema of a response leads to.
    let _ = generator.subschema_for::<crate::event::Frame>();
    let mut schemas = generator.take_definitions(true);
    for schema in schemas.values_mut() {
        drop_marker(schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "onepath",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "One canonical request path for generated media.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": [
            { "name": "generations", "description": "What is generated." },
            { "name": "events", "description": "What happens." },
            { "name": "jobs", "description": "The interface of the system before, in its time of grace." },
            { "name": "webhooks", "description": "What providers tell us, and we tell tenants." },
            { "name": "assets", "description": "What was made." },
            { "name": "operators", "description": "What whoever runs the server looks after." },
            { "name": "cache", "description": "What is kept as an answer." },
            { "name": "telemetry", "description": "How runs went." },
            { "name": "meta", "description": "What describes the server." },
        ],
        "paths": paths,
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
            "responses": responses,
            "schemas": schemas,
        },
    })
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// `$schema` names the dialect of files; within this document there is one dialect.
fn drop_marker(schema: &mut Value) {
    if let Some(properties) = schema.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.remove("$schema");
    }
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = path_parameters(route.path);
    if matches!(route.id, "createGeneration" | "simpleImageToVideo" | "getGeneration") {
        parameters.push(json!({
            "name": "Prefer",
            "in": "header",
            "description": "`wait=N` waits up to N seconds for the end, 60 at most.",
            "required": false,
            "schema": { "type": "string" },
        }));
    }
    if matches!(route.id, "createGeneration" | "simpleImageToVideo") {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes the same call twice one call; kept for a day at least.",
            "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 257 },
        }));
    }
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
        "security": if route.key { json!([{ "key": [] }]) } else { json!([]) },
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
            json!({ "required": true, "content": content(route.id, &schema) }),
        );
    }
    operation
}

/// The media types in which a body may come.
fn content(id: &str, schema: &Value) -> Value {
    let file = json!({ "type": "string", "format": "binary" });
    match id {
        "uploadAsset" => json!({
            "image/*": { "schema": schema },
            "video/*": { "schema": schema },
            "multipart/form-data": {
                "schema": { "type": "object", "properties": { "file": file } },
            },
        }),
        "createGeneration" => json!({
            "application/json": { "schema": schema },
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
        _ => json!({ "application/json": { "schema": schema } }),
    }
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "schema": { "type": "string", "minLength": 1 },
            })
        })
        .collect()
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut out = Map::new();
    for (status, about) in route.good {
        let content = match route.gives {
            _ if *status == 304 => json!({}),
            Gives::Nothing => json!({}),
            Gives::Events => json!({ "text/event-stream": { "schema": { "type": "string" } } }),
            Gives::Json(schema) => {
                json!({ "application/json": { "schema": schema(generator).to_value() } })
            }
            Gives::AnyJson(about) => {
                json!({ "application/json": { "schema": { "type": "object", "description": about } } })
            }
            Gives::Metrics => json!({ "text/plain": { "schema": { "type": "string" } } }),
            Gives::Picture => {
                let binary = json!({ "schema": { "type": "string", "format": "binary" } });
                json!({ "image/*": binary, "video/*": binary })
            }
        };
        let mut response = json!({ "description": about, "content": content });
        if *status == 202
            && let Some(response) = response.as_object_mut()
        {
            let location = json!({ "Location": { "schema": { "type": "string" } } });
            response.insert("headers".to_owned(), location);
        }
        out.insert(status.to_string(), response);
    }
    for status in route.bad {
        let reference = json!({ "$ref": format!("#/components/responses/{status}") });
        out.insert(status.to_string(), reference);
    }
    Value::Object(out)
}
