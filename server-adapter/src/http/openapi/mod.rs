//! OpenAPI 3.1, assembled from the table of routes and the schemas of the types.

mod operation;
mod schemas;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use self::operation::operation;
use super::table::routes;
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
    let schemas = schemas::tidy(generator.take_definitions(true), &paths);
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
            { "name": "webhooks", "description": "What providers tell us, and we tell tenants." },
            { "name": "assets", "description": "What was made." },
            { "name": "prompts", "description": "What prompts are made of: families, versions, terms." },
            { "name": "operators", "description": "What whoever runs the server looks after." },
            { "name": "cache", "description": "What is kept as an answer." },
            { "name": "telemetry", "description": "How runs went." },
            { "name": "jobs", "description": "The interface of the system before, in its time of grace." },
            { "name": "meta", "description": "What describes the server." },
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of `onepath admin key create`.",
                },
            },
            "responses": responses,
            "schemas": schemas,
        },
    })
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}
