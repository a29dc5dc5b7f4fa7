//! Accounts at providers: who is asked with which key, how many run at once, and what waits.

use std::time::Duration;

use onepath_core::lifecycle::ErrorCode;
use onepath_server::provider::Refusal;
use onepath_server::store::{Reader, Role};
use onepath_server::{Server, Settings};
use serde_json::{Value, json};

use super::http::{Http, Reply};
use super::maker::{Asked, MAKER, Maker};
use super::{Folder, KEYS, Running, faults, merged, picture, settings};

/// A server with a maker, and its operator's key.
pub(super) async fn start(folder: &Folder) -> (Running, Maker, Http) {
    start_with(&settings(folder)).await
}

async fn start_with(settings: &Settings) -> (Running, Maker, Http) {
    let maker = Maker::new();
    let server = Server::open(settings).unwrap().with_provider(maker.clone());
    let admin = ("operator", "operators", "eve", Role::Admin);
    for (key, tenant, user, role) in KEYS.into_iter().chain([admin]) {
        let reader = Reader { tenant: tenant.to_owned(), user: user.to_owned() };
        server.add_key(key, key, reader, role).await.unwrap();
    }
    let running = Running::serve(server).await;
    let operator = running.http.with_key("operator");
    (running, maker, operator)
}

/// A wish that the maker carries out; the same prompt twice is two wishes.
fn wish(prompt: &str) -> Value {
    merged(
        picture(prompt),
        json!({ "provider_id": MAKER, "config": { "strategy": "always", "style": null } }),
    )
}

async fn add(operator: &Http, account: &Value) -> Value {
    let account = merged(json!({ "provider_id": MAKER }), account.clone());
    let reply = operator.post("/api/v1/accounts", &account).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

async fn patch(operator: &Http, id: &str, change: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    let path = format!("/api/v1/accounts/{id}");
    operator.send("PATCH", &path, &headers, change.to_string().as_bytes()).await
}

async fn account(operator: &Http, id: &str) -> Value {
    let reply = operator.get(&format!("/api/v1/accounts/{id}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_asked_with_the_account_and_its_key() {
    let folder = Folder::new();
    let (server, maker, operator) = start(&folder).await;
    // Without accounts the maker is asked without one.
    let id = server.created(&wish("nobody pays")).await;
    server.when_over(&id).await;
    let made = add(
        &operator,
        &json!({ "id": "main", "key": "mk_canary", "endpoint": "https://gpu.example" }),
    )
    .await;
    assert_eq!((&made["key"], &made["breaker"]), (&json!("sealed"), &json!("closed")));
    let schema = json!({
        "$ref": "#/components/schemas/AccountView",
        "components": onepath_server::http::openapi()["components"],
    });
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&made), "{made:#}");
    let id = server.created(&wish("main pays")).await;
    let seen = server.when_over(&id).await;
    assert_eq!(seen["status"], "completed", "{seen:#}");
    {
        let book = maker.book();
        let asked: Vec<Asked> = book
            .submitted
            .iter()
            .map(|one| Asked { token: String::new(), ..one.clone() })
            .collect();
        let of = |account: &str, secret: &str, endpoint: &str| Asked {
            token: String::new(),
            account: account.to_owned(),
            secret: secret.to_owned(),
            endpoint: endpoint.to_owned(),
        };
        assert_eq!(asked, [of("", "", ""), of("main", "mk_canary", "https://gpu.example")]);
        assert!(book.polled.contains("main"), "it is asked how it stands with the same account");
    }
    // The key is shown nowhere, and lies nowhere as it is.
    let listed = operator.get("/api/v1/accounts").await;
    assert!(!listed.text().contains("canary"), "{}", listed.text());
    server.stop().await;
    for file in std::fs::read_dir(folder.as_ref()).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes.windows(9).any(|window| window == b"mk_canary");
            assert!(!found, "{}", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_than_the_accounts_have_slots() {
    let folder = Folder::new();
    let (server, maker, operator) = start(&folder).await;
    add(&operator, &json!({ "id": "two", "concurrency": 2, "priority": 0 })).await;
    add(&operator, &json!({ "id": "one", "concurrency": 1 })).await;
    maker.book().finishes = false;
    let mut ids = Vec::new();
    for index in 0..6 {
        ids.push(server.created(&wish(&format!("picture {index}"))).await);
    }
    // Three run, the others wait and say why.
    let mut deferred = 0;
    for id in &ids {
        let seen = server
            .when(id, "it runs or waits", |seen| {
                seen["stage"] == "submitted" || seen["deferred_reason"].is_string()
            })
            .await;
        if seen["status"] == "pending" {
            deferred += 1;
            assert_eq!(seen["deferred_reason"], "accounts_busy");
            assert!(seen["deferred_until"].is_string(), "{seen:#}");
            assert_eq!(seen["error_code"], "provider_concurrent_limit");
        }
    }
    assert_eq!(deferred, 3);
    assert_eq!(account(&operator, "two").await["slots_in_use"], 2);
    assert_eq!(account(&operator, "one").await["slots_in_use"], 1);
    let refused = operator.send("DELETE", "/api/v1/accounts/one", &[], b"").await;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("CONFLICT")));
    // They go on as slots come free, without anybody having failed.
    maker.book().finishes = true;
    for id in &ids {
        assert_eq!(server.when_over(id).await["status"], "completed");
    }
    let book = maker.book().most.clone();
    assert_eq!(book, [("one".to_owned(), 1), ("two".to_owned(), 2)].into());
    assert_eq!(account(&operator, "two").await["slots_in_use"], 0);
    assert_eq!(
        account(&operator, "two").await["today"].as_i64().unwrap()
            + account(&operator, "one").await["today"].as_i64().unwrap(),
        6
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_full_rests_its_account_and_nothing_fails() {
    let folder = Folder::new();
    let (server, maker, operator) = start(&folder).await;
    add(&operator, &json!({ "id": "small", "priority": 0 })).await;
    add(&operator, &json!({ "id": "large" })).await;
    let refusal = Refusal {
        retry_after: Some(Duration::from_secs(60)),
        ..Refusal::new(ErrorCode::ProviderRateLimit, "slow down")
    };
    maker.book().refusals.push_back(refusal.clone());
    let id = server.created(&wish("a house")).await;
    let seen = server.when_over(&id).await;
    assert_eq!(seen["status"], "completed");
    let codes: Vec<&Value> =
        seen["attempts"].as_array().unwrap().iter().map(|one| &one["error_code"]).collect();
    assert_eq!(codes, [&json!("provider_rate_limit"), &Value::Null]);
    let small = account(&operator, "small").await;
    assert_eq!((&small["breaker"], &small["streak"]), (&json!("open"), &json!(1)));
    assert_eq!(small["last_error"], "provider_rate_limit");
    assert!(small["cooldown_until"].is_string());
    // Both rest: what comes waits, and an operator who knows better lets it go on.
    maker.book().refusals.push_back(refusal);
    let id = server.created(&wish("a ship")).await;
    let waiting = server
        .when(&id, "it waits for an account", |seen| seen["deferred_reason"] == "accounts_cooling")
        .await;
    assert_eq!(
        (&waiting["status"], &waiting["error_code"]),
        (&json!("pending"), &json!("provider_rate_limit"))
    );
    let healed = operator.post("/api/v1/accounts/large/heal", &json!({})).await;
    assert_eq!((healed.status, &healed.json()["breaker"]), (200, &json!("closed")));
    assert_eq!(server.when_over(&id).await["status"], "completed");
    assert_eq!(operator.post("/api/v1/accounts/gone/heal", &json!({})).await.status, 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_are_read_before_a_submission_and_never_counted_down() {
    let folder = Folder::new();
    let (server, maker, operator) = start(&folder).await;
    add(&operator, &json!({ "id": "empty", "priority": 0 })).await;
    add(&operator, &json!({ "id": "full" })).await;
    maker.book().credits = [("empty".to_owned(), 0), ("full".to_owned(), 100)].into();
    let id = server.created(&wish("a house")).await;
    assert_eq!(server.when_over(&id).await["status"], "completed");
    let asked: Vec<String> = maker.book().submitted.iter().map(|one| one.account.clone()).collect();
    assert_eq!(asked, ["full"], "nothing was sent on the account that has nothing left");
    assert_eq!(maker.book().told, 2, "each was asked once");
    assert_eq!(account(&operator, "full").await["credits"], json!({ "standard": 100 }));
    assert_eq!(account(&operator, "empty").await["credits"], json!({ "standard": 0 }));
    // Nobody has anything left: it waits and does not fail.
    patch(&operator, "full", &json!({ "enabled": false })).await;
    let id = server.created(&wish("a ship")).await;
    let waits = |seen: &Value| seen["deferred_reason"] == "out_of_credits";
    let waiting = server.when(&id, "it waits for credits", waits).await;
    assert_eq!(waiting["error_code"], "provider_quota");
    assert_eq!(waiting["attempts"], json!([]));
    maker.book().credits.insert("empty".to_owned(), 5);
    let healed = operator.post("/api/v1/accounts/empty/heal", &json!({})).await;
    assert_eq!(healed.status, 200, "{}", healed.text());
    assert_eq!(server.when_over(&id).await["status"], "completed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_there_rests_its_account() {
    let folder = Folder::new();
    let (server, maker, operator) = start(&folder).await;
    add(&operator, &json!({ "id": "lost", "key_env": "ONEPATH_ACCOUNT_NOT_SET", "priority": 0 }))
        .await;
    add(&operator, &json!({ "id": "main" })).await;
    let id = server.created(&wish("a house")).await;
    assert_eq!(server.when_over(&id).await["status"], "completed");
    assert_eq!(maker.book().submitted[0].account, "main");
    let lost = account(&operator, "lost").await;
    assert_eq!((&lost["breaker"], &lost["last_error"]), (&json!("open"), &json!("provider_auth")));
    assert_eq!(lost["slots_in_use"], 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_accounts_work_for_their_tenant_only() {
    let folder = Folder::new();
    let (server, maker, operator) = start(&folder).await;
    add(&operator, &json!({ "id": "theirs", "tenant": "other-studio" })).await;
    let id = server.created(&wish("a house")).await;
    let waits = |seen: &Value| seen["deferred_reason"] == "no_account";
    server.when(&id, "nobody works for it", waits).await;
    let elsewhere = server.http.with_key("elsewhere");
    let theirs = elsewhere.post("/api/v1/generations", &wish("a ship")).await;
    assert_eq!(theirs.status, 202, "{}", theirs.text());
    let listed = |tenant: &str| format!("/api/v1/accounts?tenant={tenant}&provider_id={MAKER}");
    let mine = operator.get(&listed("studio")).await.json();
    assert_eq!(mine["accounts"], json!([]));
    let theirs = operator.get(&listed("other-studio")).await.json();
    assert_eq!(theirs["accounts"][0]["id"], "theirs");
    // Shared, it works for everybody at once.
    let shared = patch(&operator, "theirs", &json!({ "tenant": null })).await;
    assert_eq!(shared.status, 200, "{}", shared.text());
    assert_eq!(server.when_over(&id).await["status"], "completed");
    assert!(maker.book().submitted.iter().all(|one| one.account == "theirs"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_for_operators_and_every_fault_is_told() {
    let folder = Folder::new();
    let (server, _, operator) = start(&folder).await;
    for key in ["backend", "ada"] {
        let caller = server.http.with_key(key);
        let account = json!({ "id": "a", "provider_id": MAKER });
        for reply in [
            caller.get("/api/v1/accounts").await,
            caller.get("/api/v1/accounts/a").await,
            caller.post("/api/v1/accounts", &account).await,
            patch(&caller, "a", &json!({})).await,
            caller.send("DELETE", "/api/v1/accounts/a", &[], b"").await,
            caller.post("/api/v1/accounts/a/heal", &json!({})).await,
        ] {
            assert_eq!((reply.status, &reply.json()["code"]), (403, &json!("FORBIDDEN")));
        }
    }
    let wrong = json!({
        "id": "a b", "provider_id": "makr", "endpoint": "gpu", "priority": 99, "key_env": "1x",
    });
    let refused = operator.post("/api/v1/accounts", &wrong).await;
    assert_eq!(refused.status, 422);
    let pointers: Vec<String> = faults(&refused).into_iter().map(|(_, pointer)| pointer).collect();
    assert_eq!(pointers, ["/key_env"], "what cannot be read is told first");
    let wrong = merged(wrong, json!({ "key_env": null }));
    let refused = operator.post("/api/v1/accounts", &wrong).await;
    let mut pointers: Vec<String> =
        faults(&refused).into_iter().map(|(_, pointer)| pointer).collect();
    pointers.sort();
    assert_eq!(pointers, ["/endpoint", "/id", "/priority", "/provider_id"]);

    add(&operator, &json!({ "id": "main", "key": "mk_canary", "endpoint": "https://a.example" }))
        .await;
    let again = json!({ "id": "main", "provider_id": MAKER });
    assert_eq!(operator.post("/api/v1/accounts", &again).await.status, 409);
    // A key that was given for one place is never sent to another.
    let moved = patch(&operator, "main", &json!({ "endpoint": "https://thief.example" })).await;
    assert_eq!((moved.status, faults(&moved)[0].0.as_str()), (422, "account/key-moves"));
    let moved =
        patch(&operator, "main", &json!({ "endpoint": "https://b.example", "key": "mk_2" })).await;
    assert_eq!((moved.status, &moved.json()["endpoint"]), (200, &json!("https://b.example")));
    assert_eq!(patch(&operator, "gone", &json!({})).await.status, 404);
    assert_eq!(patch(&operator, "main", &json!({ "provider_id": "local" })).await.status, 422);
    let unknown = operator.get("/api/v1/accounts?owner=me").await;
    assert_eq!(unknown.status, 422);
    let gone = operator.send("DELETE", "/api/v1/accounts/main", &[], b"").await;
    assert_eq!(gone.status, 204);
    assert_eq!(operator.get("/api/v1/accounts").await.json(), json!({ "accounts": [] }));
    server.stop().await;
}
