//! Families of prompts over HTTP: kept, asked for, rendered, split, counted, and what terms refuse.

use onepath_core::{BatchOp, BuildOptions, Code, GenerationNodeConfig, Terms, decode, validate};
use serde_json::{Value, json};

use super::http::{Http, Reply};
use super::maker::MAKER;
use super::{Folder, Running, accounts, built, faults, merged, picture};

const PROMPTS: &str = "/api/v1/prompts";

async fn send(http: &Http, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    http.send(method, path, &headers, body.to_string().as_bytes()).await
}

/// Something that must be answered with a status.
async fn post(http: &Http, path: &str, body: &Value, status: u16) -> Value {
    let reply = http.post(path, body).await;
    assert_eq!(reply.status, status, "{path}: {}", reply.text());
    reply.json()
}

async fn get(http: &Http, path: &str) -> Value {
    let reply = http.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()
}

fn quay() -> Value {
    json!({
        "id": "quay", "name": "The quay", "text": "the quay at {{ hour }}, {{gulls}} gulls",
        "negative_text": "lettering",
        "variables": {
            "hour": "dawn", "gulls": { "type": "number", "default": 3, "about": "how many" },
        },
        "notes": "first",
    })
}

/// A family with two versions; the second says `evening`.
async fn two_versions(http: &Http) {
    post(http, PROMPTS, &quay(), 201).await;
    let second =
        json!({ "text": "evening on the quay, {{gulls}} gulls", "variables": { "gulls": 3 } });
    post(http, &format!("{PROMPTS}/quay/versions"), &second, 201).await;
}

/// A wish whose prompt is a family's.
fn of_family(more: Value) -> Value {
    let mut wish = picture("");
    wish["config"].as_object_mut().unwrap().remove("prompt");
    wish["config"]["templateId"] = json!("quay");
    merged(wish, more)
}

#[tokio::test(flavor = "multi_thread")]
async fn families_hold_numbered_versions_that_never_change() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let http = &server.http;
    let made = post(http, PROMPTS, &quay(), 201).await;
    let first = &made["version"];
    assert_eq!(
        (&made["latest"], &first["id"], &first["number"]),
        (&json!(1), &json!("quay@1"), &json!(1))
    );
    assert_eq!(first["placeholders"], json!(["hour", "gulls"]));
    assert_eq!(first["variables"]["hour"], json!({ "default": "dawn" }));
    assert_eq!((&first["author"], &first["notes"]), (&json!("game"), &json!("first")));
    assert_eq!(post(http, PROMPTS, &quay(), 200).await["version"], *first);
    // Without an id the content finds it, else makes a family of its own.
    let mut nameless = quay();
    nameless.as_object_mut().unwrap().remove("id");
    assert_eq!(post(http, PROMPTS, &nameless, 200).await["id"], "quay");
    nameless["text"] = json!("something else");
    let other = post(http, PROMPTS, &nameless, 201).await;
    assert!(other["id"].as_str().unwrap().starts_with("prompt-"), "{other}");
    assert_eq!(post(http, PROMPTS, &nameless, 200).await["version"], other["version"]);
    http.post(PROMPTS, &merged(quay(), json!({ "text": "other" })))
        .await
        .assert_problem(409, "CONFLICT");

    let versions = format!("{PROMPTS}/quay/versions");
    let second = json!({
        "text": "the quay at {{ hour }}, {{gulls}} terns", "negative_text": "lettering, cars",
        "variables": { "gulls": { "type": "number" }, "mood": "calm" },
        "author": "noor", "parent_id": "quay@1",
    });
    let added = post(http, &versions, &second, 201).await;
    assert_eq!((&added["id"], &added["parent_id"]), (&json!("quay@2"), &json!("quay@1")));
    assert_eq!(post(http, &versions, &second, 200).await, added);
    for name in ["latest", "2", "quay@2"] {
        assert_eq!(get(http, &format!("{versions}/{name}")).await, added, "{name}");
    }
    assert_eq!(get(http, &format!("{versions}/1")).await, *first);
    http.get(&format!("{versions}/3")).await.assert_problem(404, "NOT_FOUND");

    let told = get(http, &format!("{PROMPTS}/quay/diff")).await;
    assert_eq!((&told["from"]["id"], &told["to"]["id"]), (&json!("quay@1"), &json!("quay@2")));
    let pieces: Vec<(&str, &str)> = told["text"]
        .as_array()
        .unwrap()
        .iter()
        .map(|piece| (piece["kind"].as_str().unwrap(), piece["text"].as_str().unwrap()))
        .collect();
    let same = ("same", "the quay at {{ hour }}, {{gulls}} ");
    assert_eq!(pieces, [same, ("removed", "gulls"), ("added", "terns")]);
    let names: Vec<&Value> =
        told["variables"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, [&json!("gulls"), &json!("hour"), &json!("mood")]);
    let none = get(http, &format!("{PROMPTS}/quay/diff?from=2&to=latest")).await;
    assert_eq!(none["same"], true);

    let page = http.get(&format!("{versions}?limit=1")).await;
    let next = page.header("link").unwrap();
    assert_eq!(next, "</api/v1/prompts/quay/versions?cursor=2>; rel=\"next\"");
    let rest =
        get(http, &format!("{versions}?cursor={}", page.json()["next_cursor"].as_str().unwrap()))
            .await;
    assert_eq!((&rest["versions"][0]["number"], &rest["next_cursor"]), (&json!(1), &Value::Null));
    let families = get(http, &format!("{PROMPTS}?limit=1")).await;
    assert_eq!(families["families"].as_array().unwrap().len(), 1);
    let cursor = families["next_cursor"].as_str().unwrap();
    let rest = get(http, &format!("{PROMPTS}?cursor={cursor}")).await;
    assert_eq!((&rest["families"][0]["id"], &rest["next_cursor"]), (&json!("quay"), &Value::Null));

    let patch = json!({ "name": null, "description": "Skærhavn" });
    let patched = send(http, "PATCH", &format!("{PROMPTS}/quay"), &patch).await.json();
    assert_eq!((&patched["name"], &patched["description"]), (&Value::Null, &json!("Skærhavn")));
    assert_eq!(get(http, &format!("{PROMPTS}/quay")).await, patched);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_lie_behind_the_tenants_wall_and_users_read_them_only() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    two_versions(&server.http).await;
    let ada = server.http.with_key("ada");
    assert_eq!(get(&ada, PROMPTS).await["families"][0]["latest"], 2);
    assert_eq!(post(&ada, &format!("{PROMPTS}/quay/render"), &json!({}), 200).await["number"], 2);
    let writes = [
        ("POST", PROMPTS.to_owned(), json!({ "text": "mine" })),
        ("POST", format!("{PROMPTS}/quay/versions"), json!({ "text": "mine" })),
        ("PATCH", format!("{PROMPTS}/quay"), json!({ "name": "mine" })),
        ("PUT", format!("{PROMPTS}/terms"), json!({ "blocked": ["mine"] })),
    ];
    for (method, path, body) in &writes {
        send(&ada, method, path, body).await.assert_problem(403, "FORBIDDEN");
    }
    let elsewhere = server.http.with_key("elsewhere");
    assert_eq!(get(&elsewhere, PROMPTS).await["families"], json!([]));
    for path in ["", "/versions", "/versions/1", "/versions/quay@1", "/diff", "/usage"] {
        let reply = elsewhere.get(&format!("{PROMPTS}/quay{path}")).await;
        reply.assert_problem(404, "NOT_FOUND");
    }
    for (method, path, body) in writes.iter().filter(|(_, path, _)| path.contains("quay")) {
        send(&elsewhere, method, path, body).await.assert_problem(404, "NOT_FOUND");
    }
    elsewhere
        .post(&format!("{PROMPTS}/quay/render"), &json!({}))
        .await
        .assert_problem(404, "NOT_FOUND");
    let wish = of_family(json!({ "config": { "templateVersionId": "quay@1" } }));
    let reply = elsewhere.post("/api/v1/generations", &wish).await;
    assert_eq!(faults(&reply), [("template/unknown".to_owned(), "/config/templateId".to_owned())]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_gets_the_newest_version_or_the_one_it_pins() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    two_versions(&server.http).await;
    let more = json!({ "config": { "variables": { "gulls": 9 } } });
    let wish = of_family(more.clone());
    let ahead = post(&server.http, "/api/v1/generations/preflight", &wish, 200).await;
    let id = server.created(&wish).await;
    let told = server.when_over(&id).await;
    assert_eq!(told["final_prompt"], "evening on the quay, 9 gulls");
    assert_eq!(told["prompt_version_id"], "quay@2");
    let template = json!({ "id": "quay", "version_id": "quay@2", "variables": { "gulls": 9 } });
    assert_eq!(told["request"]["template"], template);
    assert_eq!(told["request_hash"], ahead["request_hash"]);
    // The words are the identity: written by hand they are the same.
    assert_eq!(server.create(&picture("evening on the quay, 9 gulls")).await["answer"], "cache");
    let pinned = merged(wish.clone(), json!({ "config": { "templateVersionId": "quay@1" } }));
    let id = server.created(&pinned).await;
    assert_eq!(server.get(&id).await["final_prompt"], "the quay at dawn, 9 gulls");
    // A version that renders the same text keeps the key; another one changes it.
    let versions = format!("{PROMPTS}/quay/versions");
    let same = json!({ "text": "evening on the {{what}}, {{gulls}} gulls", "variables": { "what": "quay" } });
    post(&server.http, &versions, &same, 201).await;
    assert_eq!(server.create(&wish).await["answer"], "cache");
    post(&server.http, &versions, &json!({ "text": "night, {{gulls}} gulls" }), 201).await;
    assert_eq!(server.create(&wish).await["answer"], "created");
    server.when_over(&id).await;
    assert_eq!(server.create(&pinned).await["answer"], "cache");

    let unknown = merged(wish.clone(), json!({ "config": { "templateVersionId": "quay@9" } }));
    for path in ["", "/preflight"] {
        let reply = server.http.post(&format!("/api/v1/generations{path}"), &unknown).await;
        assert_eq!(faults(&reply)[0].0, "template/unknown", "{}", reply.text());
    }
    // Values are of the declared type, and all that are needed.
    let wrong = merged(pinned, json!({ "config": { "variables": { "gulls": "nine" } } }));
    let reply = server.http.post("/api/v1/generations", &wrong).await;
    assert_eq!(
        faults(&reply),
        [("prompt/variable-type".to_owned(), "/config/templateId".to_owned())]
    );
    let reply = server.http.post("/api/v1/generations", &of_family(json!({}))).await;
    assert_eq!(faults(&reply)[0].0, "prompt/unknown-variable", "{}", reply.text());
    // What is sent along counts before what is kept.
    let own = json!({ "quay": { "versionId": "draft", "text": "a draft" } });
    let drafted = server.create(&of_family(json!({ "templates": own }))).await;
    let told = server.get(drafted["id"].as_str().unwrap()).await;
    assert_eq!(
        (&told["final_prompt"], &told["prompt_version_id"]),
        (&json!("a draft"), &json!("draft"))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_is_the_text_that_the_provider_gets() {
    let folder = Folder::new();
    let (server, maker, _) = accounts::start(&folder).await;
    post(&server.http, PROMPTS, &quay(), 201).await;
    let variables = json!({ "hour": "{{noon}} — 5", "gulls": 0.5 });
    let body = json!({ "variables": variables, "provider_id": MAKER });
    let preview = post(&server.http, &format!("{PROMPTS}/quay/render"), &body, 200).await;
    assert_eq!(preview["prompt"], "the quay at {{noon}} — 5, 0.5 gulls");
    assert_eq!((&preview["chosen_by"], &preview["findings"]), (&json!("latest"), &json!([])));
    let wish = of_family(json!({
        "provider_id": MAKER, "config": { "style": null, "variables": variables },
    }));
    // An editor builds with the template that the server gave it.
    let config = &wish["config"];
    let options = json!({ "providerId": MAKER, "templates": { "quay": preview["template"] } });
    let line = json!({ "config": config, "options": options });
    let request = crate::batch(BatchOp::Build, &line);
    assert_eq!(request["prompt"], preview["prompt"]);
    let edited = server.create(&built(config, &options)).await;
    // On its way or made already: it is the same one.
    let again = server.create(&wish).await;
    assert_eq!(again["id"], edited["id"], "one request, wherever it is built");
    let told = server.when_over(edited["id"].as_str().unwrap()).await;
    assert_eq!(told["request"]["template"]["version_id"], "quay@1");
    let sent: Value = serde_json::from_str(&maker.book().requests[0]).unwrap();
    assert_eq!(sent["prompt"], preview["prompt"]);
    assert_eq!(sent["negative_prompt"], preview["negative_prompt"]);
    for (body, code, pointer) in [
        (json!({ "variables": { "gulls": "many" } }), "prompt/variable-type", "/variables"),
        (json!({ "variables": { "gulls": [] } }), "prompt/variable-type", "/variables"),
        (json!({ "variables": { "gulls": 1e300 } }), "json/number-range", "/variables/gulls"),
        (json!({ "vars": {} }), "json/unreadable", ""),
    ] {
        let reply = server.http.post(&format!("{PROMPTS}/quay/render"), &body).await;
        assert_eq!(
            (reply.status, faults(&reply)),
            (422, vec![(code.to_owned(), pointer.to_owned())]),
            "{body}"
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_terms_are_refused_before_anything_is_paid() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let http = &server.http;
    post(http, PROMPTS, &json!({ "id": "quay", "text": "a {{ what }} on the quay" }), 201).await;
    let terms = json!({ "blocked": ["red door", "GULLS"], "flagged": ["ferry"] });
    assert_eq!(send(http, "PUT", &format!("{PROMPTS}/terms"), &terms).await.json(), terms);
    assert_eq!(get(&http.with_key("ada"), &format!("{PROMPTS}/terms")).await, terms);
    let none = json!({ "blocked": [], "flagged": [] });
    assert_eq!(get(&http.with_key("elsewhere"), &format!("{PROMPTS}/terms")).await, none);
    let in_template =
        |what: &str| of_family(json!({ "config": { "variables": { "what": what } } }));
    let elsewhere_built = |prompt: &str| {
        let wish = picture(prompt);
        built(&wish["config"], &json!({ "providerId": "local" }))
    };
    let blocked = [
        (picture("The RED-Door, at night"), "/config/prompt"),
        (picture("gulls"), "/config/prompt"),
        (in_template("red door"), "/config/templateId"),
        (elsewhere_built("seven gulls"), "/request/prompt"),
    ];
    for (wish, pointer) in &blocked {
        let expected = [("prompt/blocked".to_owned(), (*pointer).to_owned())];
        for path in ["", "/preflight"] {
            let reply = http.post(&format!("/api/v1/generations{path}"), wish).await;
            assert_eq!((reply.status, faults(&reply)), (422, expected.to_vec()), "{wish}");
        }
        let report = post(http, "/api/v1/generations/validate", wish, 200).await;
        let finding = &report["findings"].as_array().unwrap().last().unwrap()["code"];
        assert_eq!(
            (&report["valid"], finding),
            (&json!(false), &json!("prompt/blocked")),
            "{report}"
        );
    }
    assert_eq!(get(http, "/api/v1/usage").await["runs_month"], 0, "nothing was reserved");
    assert_eq!(get(http, "/api/v1/generations").await["generations"], json!([]));
    let flagged = server.create(&in_template("ferry")).await;
    let found = flagged["findings"].as_array().unwrap();
    assert!(found.iter().any(|one| one["code"] == "prompt/flagged"), "{flagged}");
    // The same list in CI and in the editor finds the same.
    let (config, listed) = (picture("gulls")["config"].to_string(), terms.to_string());
    let config = decode::<GenerationNodeConfig<'_>>(&config).into_result().unwrap();
    let terms = Some(decode::<Terms<'_>>(&listed).into_result().unwrap());
    let report = validate(&config, &BuildOptions { terms, ..BuildOptions::default() });
    assert!(report.findings().iter().any(|finding| finding.code() == Code::PromptBlocked));
    let ferry = json!({ "variables": { "what": "ferry" } });
    let preview = post(http, &format!("{PROMPTS}/quay/render"), &ferry, 200).await;
    assert_eq!(preview["findings"][0]["code"], "prompt/flagged");
    // Another tenant's words are its own; an empty list ends ours.
    assert_eq!(
        http.with_key("elsewhere").post("/api/v1/generations", &picture("gulls")).await.status,
        202
    );
    send(http, "PUT", &format!("{PROMPTS}/terms"), &json!({})).await;
    assert_eq!(http.post("/api/v1/generations", &picture("gulls")).await.status, 202);
    for (body, code) in [
        (json!({ "blocked": ["--"] }), "terms/no-word"),
        (json!({ "flagged": ["x".repeat(201)] }), "prompt/too-long"),
        (json!({ "blocked": vec!["a"; 1001] }), "terms/too-many"),
        (json!({ "bloked": [] }), "json/unreadable"),
    ] {
        let reply = send(http, "PUT", &format!("{PROMPTS}/terms"), &body).await;
        assert_eq!((reply.status, faults(&reply)[0].0.as_str()), (422, code));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_share_and_what_they_came_to_is_counted() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let http = &server.http;
    two_versions(http).await;
    let usage = async || get(http, &format!("{PROMPTS}/quay/usage")).await;
    assert_eq!(usage().await, json!({ "family_id": "quay", "versions": [] }));
    let of_player = |player: &str, fail: Option<&str>| {
        of_family(json!({
            "player_context": { "playerId": player },
            "config": {
                "strategy": "always",
                "style": { "local": fail.map_or(json!({}), |fail| json!({ "fail": fail })) },
            },
        }))
    };
    let arms =
        json!([{ "version_id": "quay@1", "weight": 1 }, { "version_id": "quay@2", "weight": 3 }]);
    let split = json!({ "split": { "arms": arms } });
    let patched = send(http, "PATCH", &format!("{PROMPTS}/quay"), &split).await.json();
    assert_eq!(patched["split"]["arms"], arms, "{patched}");
    let again = send(http, "PATCH", &format!("{PROMPTS}/quay"), &split).await.json();
    assert_eq!(again["split"], patched["split"], "the same split goes on");
    let mut expected = [0_i64, 0];
    for player in 0..12 {
        let player = format!("player-{player}");
        let body = json!({ "player_id": player });
        let told = post(http, &format!("{PROMPTS}/quay/render"), &body, 200).await;
        assert_eq!(told["chosen_by"], "split");
        expected[usize::from(told["number"] == 2)] += 1;
        for _ in 0..2 {
            let id = server.created(&of_player(&player, None)).await;
            assert_eq!(server.when_over(&id).await["prompt_version_id"], told["version_id"]);
        }
    }
    assert!(expected[0] > 0 && expected[1] > expected[0], "{expected:?}");
    let told = usage().await;
    for (arm, runs) in told["arms"].as_array().unwrap().iter().zip(expected) {
        assert_eq!(
            (&arm["runs"], &arm["outcomes"]["completed"]),
            (&json!(2 * runs), &json!(2 * runs))
        );
        assert_eq!((&arm["success_rate"], &arm["moderation"]), (&json!(1.0), &json!({})));
    }
    let pinned = |fail: &str| {
        merged(of_player("ada", Some(fail)), json!({ "config": { "templateVersionId": "quay@1" } }))
    };
    for fail in
        ["content_prompt_rejected", "content_prompt_rejected", "content_filtered", "param_invalid"]
    {
        let id = server.created(&pinned(fail)).await;
        assert_eq!(server.when_over(&id).await["status"], "failed");
    }
    let told = &usage().await["versions"][0];
    assert_eq!(told["version_id"], "quay@1");
    assert_eq!(told["moderation"], json!({ "content_prompt_rejected": 2, "content_filtered": 1 }));
    assert_eq!(
        (&told["errors"], &told["outcomes"]["failed"]),
        (&json!({ "param_invalid": 1 }), &json!(4))
    );
    let future = get(http, &format!("{PROMPTS}/quay/usage?since=2100-01-01T00:00:00Z")).await;
    assert_eq!(future["versions"], json!([]));
    for (arms, pointer) in [
        (json!([]), "/split/arms"),
        (json!([{ "version_id": "quay@3", "weight": 1 }]), "/split/arms/0/version_id"),
        (json!([{ "version_id": "quay@1", "weight": 0 }]), "/split/arms/0/weight"),
        (
            json!([{ "version_id": "quay@1", "weight": 1 }, { "version_id": "quay@1", "weight": 1 }]),
            "/split/arms/0/version_id",
        ),
    ] {
        let body = json!({ "split": { "arms": arms } });
        let reply = send(http, "PATCH", &format!("{PROMPTS}/quay"), &body).await;
        assert_eq!(faults(&reply), [("prompt/split".to_owned(), pointer.to_owned())], "{body}");
    }
    let ended =
        send(http, "PATCH", &format!("{PROMPTS}/quay"), &json!({ "split": null })).await.json();
    assert_eq!(ended["split"], Value::Null);
    assert_eq!(
        post(http, &format!("{PROMPTS}/quay/render"), &json!({}), 200).await["chosen_by"],
        "latest"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prompt_fields_of_the_system_before_are_read() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    two_versions(&server.http).await;
    let mut bare = picture("");
    bare["config"].as_object_mut().unwrap().remove("prompt");
    let text = async |more: Value| {
        let wish = merged(bare.clone(), merged(more, json!({ "force_new": true })));
        server.get(server.create(&wish).await["id"].as_str().unwrap()).await["final_prompt"].clone()
    };
    let first = "the quay at noon, 3 gulls";
    for more in [
        json!({ "prompt_version_id": "quay@1", "template_variables": { "hour": "noon" } }),
        json!({ "template_id": "quay", "prompt_version_id": "quay@1", "template_variables": { "hour": "noon" } }),
        json!({ "prompt_config": { "versionId": "quay@1", "familyId": "quay", "variables": { "hour": "noon" } } }),
        json!({ "prompt_config": { "inlinePrompt": first } }),
    ] {
        assert_eq!(text(more.clone()).await, first, "{more}");
    }
    let latest = json!({ "prompt_config": { "familyId": "quay", "autoSelectLatest": true } });
    assert_eq!(text(latest).await, "evening on the quay, 3 gulls");
    for (more, code) in [
        (json!({ "prompt_version_id": "never" }), "template/unknown"),
        (
            json!({ "template_id": "quay", "config": { "templateId": "quay" } }),
            "json/duplicate-field",
        ),
        (
            json!({ "template_id": "quay", "prompt_config": { "familyId": "quay" } }),
            "json/duplicate-field",
        ),
    ] {
        let reply = server.http.post("/api/v1/generations", &merged(bare.clone(), more)).await;
        assert_eq!((reply.status, faults(&reply)[0].0.as_str()), (422, code), "{}", reply.text());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_taken_apart_and_measured() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let text = "An old keeper climbs the stair at dusk, {{calm}}. Wide shot";
    let told =
        post(&server.http, &format!("{PROMPTS}/analyze"), &json!({ "text": text }), 200).await;
    assert_eq!((&told["analyst"], &told["characters"]), (&json!("rules"), &json!(text.len())));
    let roles: Vec<&Value> =
        told["parts"].as_array().unwrap().iter().map(|part| &part["role"]).collect();
    assert_eq!(roles, ["setting", "mood", "camera"]);
    assert_eq!((&told["missing"], &told["findings"]), (&json!([]), &json!([])));
    for (body, code) in [
        (json!({ "id": "analyze", "text": "x" }), "prompt/family-name"),
        (json!({ "id": "a@b", "text": "x" }), "prompt/family-name"),
        (json!({ "text": " " }), "prompt/empty"),
        (json!({ "text": "{{" }), "prompt/bad-placeholder"),
        (json!({ "text": "a\u{0}b" }), "envelope/null-character"),
        (json!({ "text": "x".repeat(20_001) }), "prompt/too-long"),
        (json!({ "text": "x", "variables": { "n": { "type": "integer" } } }), "json/unreadable"),
        (
            json!({ "text": "x", "variables": { "n": { "type": "number", "default": "1" } } }),
            "prompt/variable-type",
        ),
    ] {
        let reply = server.http.post(PROMPTS, &body).await;
        assert_eq!((reply.status, faults(&reply)[0].0.as_str()), (422, code), "{}", reply.text());
    }
    server.http.post_text(PROMPTS, b"{\"text\": ").await.assert_problem(400, "MALFORMED_JSON");
    for query in ["limit=0", "limit=201", "page=2"] {
        let reply = server.http.get(&format!("{PROMPTS}?{query}")).await;
        assert_eq!(faults(&reply)[0].0, "query/not-understood", "{query}");
    }
    server.stop().await;
}
