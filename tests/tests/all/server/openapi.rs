//! The description of the API says what the API does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Folder, Running, picture};

/// Every object in a document, with its place.
fn walk(value: &Value, place: &str, see: &mut impl FnMut(&str, &Value)) {
    see(place, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(
                    member,
                    &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")),
                    see,
                );
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{place}/{index}"), see);
            }
        }
        _ => {}
    }
}

/// Method, path and description of every operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_document_is_whole() {
    let document = onepath_server::http::openapi();
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = 0;
    walk(&document, "", &mut |place, value| {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return };
        references += 1;
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{place}: {reference}"));
        assert!(document.pointer(pointer).is_some(), "{place}: {reference} leads nowhere");
    });
    assert!(references > 50);
    let mut ids = BTreeSet::new();
    let tags: Vec<&Value> =
        document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        assert!(operation["summary"].as_str().unwrap().ends_with('.'), "{method} {path}");
        assert!(tags.contains(&&operation["tags"][0]), "{method} {path}");
        let named: Vec<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let in_path: Vec<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(named, in_path, "{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        let good = |status: &String| status.starts_with('2') || status == "101";
        assert!(responses.keys().any(good), "{method} {path}");
        assert!(
            operation["requestBody"].is_null()
                || ["POST", "PUT", "PATCH"].contains(&method.as_str())
        );
    }
    for schema in document["components"]["schemas"].as_object().unwrap().values() {
        assert!(jsonschema::meta::is_valid(schema), "{schema:#}");
    }
    for name in
        ["CreateGenerationRequest", "GenerationResponse", "GenerationListResponse", "Problem"]
    {
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
}

/// Every described operation answers, with a status that is described, and only what is described.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_and_answers() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let document = server.http.get("/openapi.json").await.json();
    assert_eq!(document, onepath_server::http::openapi());
    let id = server.created(&picture("a house")).await;
    let done = server.when_over(&id).await;
    let asset = done["asset_id"].as_str().unwrap().to_owned();
    let job = json!({ "operation_type": "text_to_image", "provider_id": "local",
        "params": { "prompt": "a house", "fail": "hang" } });
    let hanging = server.http.post("/api/v1/jobs", &job).await.json()["id"].to_string();
    let quay = json!({ "id": "quay", "text": "the quay" });
    assert_eq!(server.http.post("/api/v1/prompts", &quay).await.status, 201);
    // What takes the generation away comes last.
    let (last, first): (Vec<_>, Vec<_>) =
        operations(&document).into_iter().partition(|(method, ..)| method == "DELETE");
    for (method, path, operation) in first.into_iter().chain(last) {
        // What has no end of its own is looked at in `events`.
        // What has no end of its own is looked at in `events`, what providers send in `webhooks`.
        if operation["tags"][0] == "events" || path.starts_with("/api/v1/webhook") {
            continue;
        }
        let thing = match path.as_str() {
            path if path.contains("/assets/") => asset.as_str(),
            path if path.contains("/jobs/") => hanging.as_str(),
            path if path.ends_with("/providers/{id}") => "local",
            path if path.ends_with("/operations/{id}") => "text_to_image",
            _ => id.as_str(),
        };
        let real = path
            .replace("{id}", thing)
            .replace("{name}", "create-generation-request.schema.json")
            .replace("{family}", "quay")
            .replace("{version}", "latest");
        let body = match method.as_str() {
            "PUT" => json!({ "blocked": ["gulls"] }).to_string(),
            _ if path.ends_with("/render") => json!({}).to_string(),
            "POST" if path.contains("/prompts") => json!({ "text": "the quay" }).to_string(),
            "PATCH" => json!({ "name": "another name" }).to_string(),
            _ if path.ends_with("/invalidate") => json!({ "scene_id": "pier" }).to_string(),
            _ if path.ends_with("/jobs") => job.to_string(),
            _ if path.ends_with("/build") => json!({ "npc_ids": ["bram"] }).to_string(),
            _ if path.ends_with("/simple-image-to-video") => {
                json!({ "provider_id": "local", "prompt": "waves", "image_url": "asset:1" })
                    .to_string()
            }
            _ => picture("a house").to_string(),
        };
        let reply = if path == "/api/v1/assets" && method == "POST" {
            let png = super::assets::png(3, 2);
            server.http.send("POST", &real, &[("content-type", "image/png")], &png).await
        } else if operation["requestBody"].is_null() {
            server.http.send(&method, &real, &[], b"").await
        } else {
            let headers = [("content-type", "application/json")];
            server.http.send(&method, &real, &headers, body.as_bytes()).await
        };
        let described = operation["responses"].as_object().unwrap();
        assert!(
            described.contains_key(&reply.status.to_string()),
            "{method} {real}: {} is not described",
            reply.status
        );
        // What is completed is neither cancelled nor tried again.
        if operation["tags"][0] == "operators" {
            // `accounts` and `settings` look at what operators are answered.
            reply.assert_problem(403, "FORBIDDEN");
        } else if !path.ends_with("/cancel") && !path.ends_with("/retry") {
            let good = match method.as_str() {
                "DELETE" => 204,
                _ if path == "/api/v1/assets" && method == "POST" => 201,
                _ if path.ends_with("/simple-image-to-video") => 202,
                "POST" if path.ends_with("/jobs") => 201,
                _ => 200,
            };
            assert_eq!(reply.status, good, "{method} {real}: {}", reply.text());
        }
        let keyless = server.http.without_key().send(&method, &real, &[], b"").await.status;
        let wants_key = operation["security"] != json!([]);
        assert_eq!(keyless == 401, wants_key, "{method} {real}");
        assert_eq!(described.contains_key("401"), wants_key, "{method} {real}");
        // What is not described is not there.
        for other in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if document["paths"][&path].get(other.to_lowercase()).is_none() {
                let reply = server.http.send(other, &real, &[], b"").await;
                reply.assert_problem(405, "METHOD_NOT_ALLOWED");
            }
        }
    }
    server.stop().await;
}

/// What the server answers is what the document promises.
#[tokio::test(flavor = "multi_thread")]
async fn answers_fit_their_schemas() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let document = onepath_server::http::openapi();
    let fits = |name: &str, value: &Value| {
        let schema = json!({
            "$ref": format!("#/components/schemas/{name}"),
            "components": document["components"],
        });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{error}")).collect();
        assert!(faults.is_empty(), "{name}: {faults:#?} in {value:#}");
    };
    let wish = picture("a house");
    fits("CreateGenerationRequest", &wish);
    let created = server.create(&wish).await;
    fits("CreateGenerationResponse", &created);
    let id = created["id"].as_str().unwrap();
    fits("GenerationResponse", &server.get(id).await);
    fits("GenerationResponse", &server.when_over(id).await);
    let failing = super::picture_with("wrong", json!({ "fail": "param_invalid" }));
    let failed = server.created(&failing).await;
    fits("GenerationResponse", &server.when_over(&failed).await);
    let patched = server
        .http
        .send(
            "PATCH",
            &format!("/api/v1/generations/{id}"),
            &[("content-type", "application/json")],
            br#"{"tags": ["a", "b"]}"#,
        )
        .await
        .json();
    fits("GenerationResponse", &patched);
    assert_eq!(patched["tags"], json!(["a", "b"]));
    fits("UsageResponse", &server.http.get("/api/v1/usage").await.json());
    fits("GenerationListResponse", &server.http.get("/api/v1/generations?limit=1").await.json());
    let post = async |path: &str, body: &Value| server.http.post(path, body).await.json();
    fits("PreflightResponse", &post("/api/v1/generations/preflight", &wish).await);
    fits("ValidateResponse", &post("/api/v1/generations/validate", &wish).await);
    fits("Problem", &post("/api/v1/generations", &json!({ "config": { "a": 1 } })).await);
    fits("Problem", &server.http.get("/nothing").await.json());
    server.stop().await;
}
