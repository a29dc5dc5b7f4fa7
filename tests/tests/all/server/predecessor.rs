//! The defects of the system before, by the name that each had: none of them comes back.

use onepath_core::BatchOp;
use onepath_core::lifecycle::ErrorCode;
use onepath_server::Server;
use onepath_server::provider::Refusal;
use onepath_server::store::{Reader, Role};
use serde_json::{Value, json};

use super::events::Stream;
use super::http::Http;
use super::maker::{MAKER, Maker};
use super::{Folder, KEYS, Running, merged, picture, picture_with, settings};

const CREATE: &str = "/api/v1/generations";

/// Key and hash of a wish, without a server.
fn print(wish: &Value) -> (Value, Value) {
    let mut options = wish.clone();
    let config = options.as_object_mut().unwrap().remove("config").unwrap();
    let provider = options.as_object_mut().unwrap().remove("provider_id").unwrap();
    options["providerId"] = provider;
    let print =
        crate::batch(BatchOp::Fingerprint, &json!({ "config": config, "options": options }));
    assert!(print["request_hash"].is_string(), "{print}");
    (print["cache_key"].clone(), print["request_hash"].clone())
}

/// C1, C3, C12: whatever changes what is seen changes key and hash: prompt, model, seed, picture,
/// duration, provider, player, mood, rating, operation, version.
#[test]
fn c1_c3_c12_what_is_seen_is_in_the_key() {
    let base = merged(
        picture("a house"),
        json!({ "config": { "strategy": "per_player" }, "player_context": { "playerId": "ada" } }),
    );
    let (key, _) = print(&base);
    for (what, change) in [
        ("prompt", json!({ "config": { "prompt": "a ship" } })),
        ("setting", json!({ "config": { "style": { "local": { "width": 128 } } } })),
        ("seed", json!({ "seed": "7", "config": { "seedSource": "fixed" } })),
        ("provider", json!({ "provider_id": "pixverse", "config": { "style": null } })),
        ("player", json!({ "player_context": { "playerId": "ben" } })),
        ("operation", json!({ "config": { "generationType": "text_to_video" } })),
        ("version", json!({ "config": { "version": 2 } })),
        ("mood", json!({ "config": { "style": { "moodFrom": "calm" } } })),
        ("duration", json!({ "config": { "duration": { "target": 9 } } })),
        ("rating", json!({ "config": { "socialContext": { "contentRating": "romantic" } } })),
        ("scene", json!({ "from_scene": { "id": "pier" } })),
    ] {
        let (other, _) = print(&merged(base.clone(), change));
        assert_ne!(other, key, "{what}");
    }
}

/// C2: a bar inside of an id is not one between two.
#[test]
fn c2_ids_are_not_confused() {
    let scenes = |from: &str, to: &str| {
        let more = json!({ "from_scene": { "id": from }, "to_scene": { "id": to } });
        print(&merged(picture("a house"), more)).0
    };
    assert_ne!(scenes("a|b", "c"), scenes("a", "b|c"));
    assert_ne!(scenes("a%7Cb", "c"), scenes("a|b", "c"));
}

/// C14, C17: one number is one number, whoever wrote it; C16: what has nothing to do with the
/// picture does not change it.
#[tokio::test(flavor = "multi_thread")]
async fn c14_c16_c17_the_same_is_the_same_by_every_door() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let preflight = async |text: &str| {
        let reply = server.http.post_text(&format!("{CREATE}/preflight"), text.as_bytes()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["request_hash"].clone()
    };
    let wish =
        merged(picture("a house \u{1f600}"), json!({ "config": { "duration": { "target": 5 } } }));
    let seen = preflight(&wish.to_string()).await;
    assert_eq!(seen, print(&wish).1, "the same with and without a server");
    let text = wish.to_string();
    for same in [
        text.replace("\"target\":5", "\"target\":5.0"),
        text.replace("\"target\":5", "\"target\":50e-1"),
        text.replace('\u{1f600}', "\\ud83d\\ude00"),
    ] {
        assert_ne!(same, text);
        assert_eq!(preflight(&same).await, seen, "{same}");
    }
    let flags = json!({ "player_context": { "flags": { "met_bram": true }, "choices": { "door": "left" } } });
    assert_eq!(preflight(&merged(wish, flags).to_string()).await, seen);
    server.stop().await;
}

/// C4: nobody is answered with what is another user's; C5: `always` is new each time; C6: who is not
/// named shares nothing with others who are not.
#[tokio::test(flavor = "multi_thread")]
async fn c4_c5_c6_nobody_gets_what_is_anothers() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let own = |player: &str| {
        merged(
            picture("a house"),
            json!({ "config": { "strategy": "per_player" }, "player_context": { "playerId": player } }),
        )
    };
    let (ada, ben) = (server.http.with_key("ada"), server.http.with_key("ben"));
    let mine = ada.post(CREATE, &own("ada")).await.json();
    let theirs = ben.post(CREATE, &own("ben")).await.json();
    assert_eq!((&mine["answer"], &theirs["answer"]), (&json!("created"), &json!("created")));
    assert_ne!(mine["id"], theirs["id"]);
    ben.post(CREATE, &own("ada")).await.assert_problem(403, "FORBIDDEN");
    let always = merged(picture("a house"), json!({ "config": { "strategy": "always" } }));
    let first = server.created(&always).await;
    server.when_over(&first).await;
    assert_ne!(server.created(&always).await, first);
    for strategy in ["per_playthrough", "per_player"] {
        let nobody = merged(picture("a house"), json!({ "config": { "strategy": strategy } }));
        server.http.post(CREATE, &nobody).await.assert_problem(422, "VALIDATION_ERROR");
    }
    server.stop().await;
}

/// C7: what was cancelled answers nobody; C15: what failed and what hangs blocks nobody who asks
/// again; C8, C9, C11: of many at once one is made, whoever is first.
#[tokio::test(flavor = "multi_thread")]
async fn c7_c8_c9_c11_c15_one_run_at_a_time_and_no_dead_answers() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let hang = picture_with("it hangs", json!({ "fail": "hang" }));
    let first = server.created(&hang).await;
    assert_eq!(server.create(&hang).await["answer"], "joined");
    server.http.post(&format!("{CREATE}/{first}/cancel"), &json!({})).await;
    server.when_over(&first).await;
    let second = server.created(&hang).await;
    assert_ne!(second, first);
    let failing = picture_with("it fails", json!({ "fail": "param_invalid" }));
    let failed = server.created(&failing).await;
    server.when_over(&failed).await;
    assert_ne!(server.created(&failing).await, failed);
    let wish = picture("many at once");
    let all = futures_util::future::join_all((0..16).map(|_| server.create(&wish))).await;
    let created = all.iter().filter(|one| one["answer"] == "created").count();
    assert_eq!(created, 1, "{all:?}");
    assert!(all.iter().all(|one| one["id"] == all[0]["id"]));
    server.stop().await;
}

/// C10, C13: statistics are of a window and answer; A5: nobody takes another's answers away.
#[tokio::test(flavor = "multi_thread")]
async fn c10_c13_a5_the_cache_is_told_and_guarded() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = picture("a house");
    let id = server.created(&wish).await;
    let key = server.when_over(&id).await["cache_key"].clone();
    server.create(&wish).await;
    let stats = server.http.get(&format!("{CREATE}/cache/stats?window=1h")).await;
    assert_eq!((stats.status, &stats.json()["hits"]), (200, &json!(1)));
    let check = server.http.post(&format!("{CREATE}/cache/check"), &wish).await;
    assert_eq!((check.status, &check.json()["answer"]), (200, &json!("cache")));
    let body = json!({ "cache_keys": [key] });
    for key in ["ben", "elsewhere"] {
        let http = server.http.with_key(key);
        let none = http.post(&format!("{CREATE}/cache/invalidate"), &body).await;
        assert_eq!(none.json()["count"], 0, "{key}");
    }
    assert_eq!(server.create(&wish).await["answer"], "cache");
    server.stop().await;
}

/// A server with a maker, and its operator's key.
async fn with_maker(folder: &Folder) -> (Running, Maker, Http) {
    let maker = Maker::new();
    let mut settings = settings(folder);
    settings.unknown_price = 1_000;
    let server = Server::open(&settings).unwrap().with_provider(maker.clone());
    let admin = ("operator", "operators", "eve", Role::Admin);
    for (key, tenant, user, role) in KEYS.into_iter().chain([admin]) {
        let reader = Reader { tenant: tenant.to_owned(), user: user.to_owned() };
        server.add_key(key, key, reader, role).await.unwrap();
    }
    let running = Running::serve(server).await;
    let operator = running.http.with_key("operator");
    (running, maker, operator)
}

fn made(prompt: &str) -> Value {
    merged(
        picture(prompt),
        json!({
            "provider_id": MAKER,
            "config": { "strategy": "always", "style": null, "fallback": { "mode": "retry" } },
        }),
    )
}

async fn paid(server: &Running) -> (i64, i64) {
    let usage = server.http.get("/api/v1/usage").await.json();
    (usage["runs_month"].as_i64().unwrap(), usage["micros_month"].as_i64().unwrap())
}

/// B1, B3: a run is paid once, also when it was tried again on the way; B2: what was cancelled or
/// failed is not. An unknown price reserves what the operator says, and the row says so.
#[tokio::test(flavor = "multi_thread")]
async fn b1_b2_b3_a_run_is_paid_once_or_not_at_all() {
    let folder = Folder::new();
    let (server, maker, _) = with_maker(&folder).await;
    maker.book().ends.push_back(ErrorCode::ContentFiltered);
    let id = server.created(&made("filtered once")).await;
    let row = server.when_over(&id).await;
    assert_eq!(
        (&row["status"], row["attempts"].as_array().unwrap().len()),
        (&json!("completed"), 2)
    );
    assert_eq!(row["price"], json!({ "micros": 1000, "known": false }));
    assert_eq!(paid(&server).await, (1, 1_000));
    maker.book().ends.push_back(ErrorCode::ContentPromptRejected);
    let id = server.created(&made("refused")).await;
    assert_eq!(server.when_over(&id).await["status"], "failed");
    assert_eq!(paid(&server).await, (1, 1_000));
    maker.book().finishes = false;
    let id = server.created(&made("cancelled")).await;
    server.when(&id, "it is sent", |seen| seen["stage"] == "submitted").await;
    assert_eq!(paid(&server).await, (2, 2_000), "set aside while it runs");
    server.http.post(&format!("{CREATE}/{id}/cancel"), &json!({})).await;
    // The maker is asked once more, and has stopped it.
    maker.book().ends.push_back(ErrorCode::ProviderGeneric);
    maker.book().finishes = true;
    assert_eq!(server.when_over(&id).await["status"], "cancelled");
    assert_eq!(paid(&server).await, (1, 1_000));
    server.stop().await;
}

/// J1: no free account defers and does not fail; J4: slots come back, each once.
#[tokio::test(flavor = "multi_thread")]
async fn j1_j4_accounts_are_waited_for_and_given_back() {
    let folder = Folder::new();
    let (server, maker, operator) = with_maker(&folder).await;
    let account = json!({ "id": "main", "provider_id": MAKER, "concurrency": 1 });
    assert_eq!(operator.post("/api/v1/accounts", &account).await.status, 201);
    maker.book().finishes = false;
    let first = server.created(&made("first")).await;
    server.when(&first, "it is sent", |seen| seen["stage"] == "submitted").await;
    let second = server.created(&made("second")).await;
    let waits =
        server.when(&second, "it waits", |seen| seen["deferred_reason"] == "accounts_busy").await;
    assert_eq!(
        (&waits["status"], waits["attempts"].as_array().unwrap().len()),
        (&json!("pending"), 0)
    );
    maker.book().finishes = true;
    for id in [&first, &second] {
        assert_eq!(server.when_over(id).await["status"], "completed");
    }
    let account = operator.get("/api/v1/accounts/main").await.json();
    assert_eq!(account["slots_in_use"], 0, "{account}");
    assert_eq!(maker.book().most["main"], 1);
    server.stop().await;
}

/// J2: what is tried again is pending meanwhile and goes on; J3: a failure is told once; J5, J6:
/// nothing is sent twice, and a row whose submission is on its way is not given up.
#[tokio::test(flavor = "multi_thread")]
async fn j2_j3_j5_j6_attempts_are_told_and_sent_once() {
    let folder = Folder::new();
    let (server, maker, _) = with_maker(&folder).await;
    let mut told = Stream::open(&server, "backend", "", None).await;
    maker.book().ends.push_back(ErrorCode::ContentOutputRejected);
    let id = server.created(&made("rejected once")).await;
    let events = told.until_over(&id).await;
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let road = ["created", "started", "submitted", "retried", "started", "submitted", "completed"];
    assert_eq!(kinds, road.map(|word| format!("generation.{word}")));
    let retried = events.iter().find(|event| event["type"] == "generation.retried").unwrap();
    assert_eq!(
        (&retried["status"], &retried["error_code"]),
        (&json!("pending"), &json!("content_output_rejected"))
    );
    maker.book().refusals.push_back(Refusal::new(ErrorCode::ParamInvalid, "as the test wants"));
    let id = server.created(&made("refused")).await;
    let events = told.until_over(&id).await;
    let failed = events.iter().filter(|event| event["type"] == "generation.failed").count();
    assert_eq!(failed, 1);
    let telemetry = server.http.get(&format!("{CREATE}/telemetry/providers/{MAKER}")).await.json();
    assert_eq!(telemetry["failed"], 1, "{telemetry}");
    let tokens: Vec<String> =
        maker.book().submitted.iter().map(|asked| asked.token.clone()).collect();
    let mut once = tokens.clone();
    once.sort();
    once.dedup();
    assert_eq!((once.len(), tokens.len()), (3, 3), "each attempt once");
    server.stop().await;
}

/// A1, A2, A3: what is wrong is told as what it is, and nothing that one may ask for answers 500;
/// A4: an answer says whether it is a new run.
#[tokio::test(flavor = "multi_thread")]
async fn a1_a2_a3_a4_every_answer_says_what_it_is() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let http = &server.http;
    let wrong = |change: Value| merged(picture("a house"), change);
    for (status, code, wish) in [
        (422, "VALIDATION_ERROR", wrong(json!({ "provider_id": "nobody" }))),
        (422, "VALIDATION_ERROR", wrong(json!({ "config": { "prompt": "" } }))),
        (422, "VALIDATION_ERROR", wrong(json!({ "config": { "strategy": "sometimes" } }))),
        (400, "STRUCTURED_CONFIG_REQUIRED", json!({ "prompt": "a house", "quality": "720p" })),
    ] {
        http.post(CREATE, &wish).await.assert_problem(status, code);
    }
    let nothing = format!("{CREATE}/01990000-0000-7000-8000-000000000000");
    for (method, path) in [("POST", "/cancel"), ("POST", "/retry"), ("GET", ""), ("DELETE", "")] {
        let reply = http.send(method, &format!("{nothing}{path}"), &[], b"").await;
        reply.assert_problem(404, "NOT_FOUND");
    }
    for path in [
        "/telemetry/providers",
        "/telemetry/providers/local",
        "/telemetry/operations/text_to_image",
        "/cache/stats",
    ] {
        let reply = http.get(&format!("{CREATE}{path}")).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
    let first = http.post(CREATE, &picture("a house")).await;
    assert_eq!((first.status, &first.json()["answer"]), (202, &json!("created")));
    server.when_over(first.json()["id"].as_str().unwrap()).await;
    let again = http.post(CREATE, &picture("a house")).await;
    assert_eq!((again.status, &again.json()["answer"]), (200, &json!("cache")));
    let done = format!("{CREATE}/{}/cancel", first.json()["id"].as_str().unwrap());
    http.send("POST", &done, &[], b"").await.assert_problem(409, "CONFLICT");
    server.stop().await;
}

/// A6: nobody hears anything without a key (see also S21); A7: a rate is a key's own, and ends.
#[tokio::test(flavor = "multi_thread")]
async fn a6_a7_streams_and_rates_are_a_keys_own() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.door.rates.calls = onepath_server::limit::Rate::parse("2/60").ok();
    let server = Running::with(&settings).await;
    let nobody = server.http.without_key();
    nobody.get(&format!("{CREATE}/events")).await.assert_problem(401, "UNAUTHENTICATED");
    let ada = server.http.with_key("ada");
    assert_eq!([ada.get(CREATE).await.status, ada.get(CREATE).await.status], [200, 200]);
    let limited = ada.get(CREATE).await;
    limited.assert_problem(429, "RATE_LIMITED");
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "it ends, and is told when: {wait}");
    assert_eq!(server.http.with_key("ben").get(CREATE).await.status, 200, "another key is free");
    server.stop().await;
}
