//! What operators change while everything runs.

use std::time::Duration;

use onepath_server::Server;
use onepath_server::store::{Reader, Role};
use serde_json::{Value, json};

use super::http::{Http, Reply};
use super::maker::{MAKER, Maker};
use super::{Folder, KEYS, Running, faults, merged, picture, picture_with, settings, within};

const SETTINGS: &str = "/api/v1/settings";
const CREATE: &str = "/api/v1/generations";

/// A server with a maker, and its operator's key.
async fn start(folder: &Folder) -> (Running, Maker, Http) {
    let maker = Maker::new();
    let server = Server::open(&settings(folder)).unwrap().with_provider(maker.clone());
    let admin = ("operator", "operators", "eve", Role::Admin);
    for (key, tenant, user, role) in KEYS.into_iter().chain([admin]) {
        let reader = Reader { tenant: tenant.to_owned(), user: user.to_owned() };
        server.add_key(key, key, reader, role).await.unwrap();
    }
    let running = Running::serve(server).await;
    let operator = running.http.with_key("operator");
    (running, maker, operator)
}

async fn change(operator: &Http, changes: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    operator.send("PATCH", SETTINGS, &headers, changes.to_string().as_bytes()).await
}

async fn set(operator: &Http, changes: &Value) {
    let reply = change(operator, changes).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

fn made_by_maker(prompt: &str) -> Value {
    merged(
        picture(prompt),
        json!({ "provider_id": MAKER, "config": { "strategy": "always", "style": null } }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_for_operators_and_keep_who_changed_what() {
    let folder = Folder::new();
    let (server, _, operator) = start(&folder).await;
    for key in ["backend", "ada"] {
        let caller = server.http.with_key(key);
        for reply in [
            caller.get(SETTINGS).await,
            caller.get(&format!("{SETTINGS}/history")).await,
            change(&caller, &json!({ "submission": false })).await,
        ] {
            reply.assert_problem(403, "FORBIDDEN");
        }
    }
    let none = operator.get(SETTINGS).await.json();
    assert_eq!(none["settings"], json!([]));
    let known: Vec<&str> =
        none["known"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    for name in ["submission[:PROVIDER]", "retry:ERROR_CODE", "jobs_sunset", "pause_tenant:TENANT"]
    {
        assert!(known.contains(&name), "{name} in {known:?}");
    }
    let wrong = json!({
        "submission": "off", "provider:nobody": false, "nothing": 1, "attempts": 3,
        "retry:param_invalid": 1,
    });
    let refused = change(&operator, &wrong).await;
    refused.assert_problem(422, "VALIDATION_ERROR");
    let pointers: Vec<String> = faults(&refused).into_iter().map(|(_, at)| at).collect();
    assert_eq!(pointers, ["/nothing", "/provider:nobody", "/retry:param_invalid", "/submission"]);
    assert_eq!(operator.get(SETTINGS).await.json()["settings"], json!([]), "all of them or none");

    set(&operator, &json!({ "attempts": 5, "retry:provider_timeout": 4 })).await;
    set(&operator, &json!({ "attempts": null })).await;
    let now = operator.get(SETTINGS).await.json();
    let shown: Vec<(&Value, &Value, &Value)> = now["settings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["value"], &one["author"]))
        .collect();
    let by = json!("eve@operators");
    assert_eq!(
        shown,
        [
            (&json!("attempts"), &Value::Null, &by),
            (&json!("retry:provider_timeout"), &json!(4), &by)
        ]
    );
    let history = operator.get(&format!("{SETTINGS}/history?name=attempts")).await.json();
    let values: Vec<&Value> =
        history["changes"].as_array().unwrap().iter().map(|one| &one["value"]).collect();
    assert_eq!(values, [&Value::Null, &json!(5)]);
    let all = operator.get(&format!("{SETTINGS}/history?limit=2")).await.json();
    assert_eq!(all["changes"].as_array().unwrap().len(), 2);
    operator
        .get(&format!("{SETTINGS}/history?limit=0&x=1"))
        .await
        .assert_problem(422, "VALIDATION_ERROR");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_paused_and_goes_on() {
    let folder = Folder::new();
    let (server, maker, operator) = start(&folder).await;
    maker.book().finishes = false;
    let running = server.created(&made_by_maker("it runs")).await;
    server.when(&running, "it is sent", |seen| seen["stage"] == "submitted").await;
    set(&operator, &json!({ "pause_tenant:studio": "the invoice is open" })).await;
    let waits = server.created(&picture("a house")).await;
    let elsewhere = server.http.with_key("elsewhere").post(CREATE, &picture("a ship")).await.json();
    let path = format!("{CREATE}/{}", elsewhere["id"].as_str().unwrap());
    within("others go on", async {
        while server.http.with_key("elsewhere").get(&path).await.json()["status"] != "completed" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let seen = server.get(&waits).await;
    assert_eq!((&seen["status"], &seen["paused"]["by"]), (&json!("pending"), &json!("tenant")));
    assert_eq!(seen["paused"]["reason"], "the invoice is open");
    assert!(seen["paused"]["since"].is_string());
    let list = server.http.get(&format!("{CREATE}?status=pending")).await.json();
    assert_eq!(list["generations"][0]["paused"]["by"], "tenant");
    // What is on its way goes on.
    assert_eq!(server.get(&running).await.get("paused"), None);
    maker.book().finishes = true;
    assert_eq!(server.when_over(&running).await["status"], "completed");
    set(&operator, &json!({ "pause_tenant:studio": null })).await;
    let done = server.when_over(&waits).await;
    assert_eq!((&done["status"], done.get("paused")), (&json!("completed"), None));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_off_takes_nothing_new_and_answers_what_exists() {
    let folder = Folder::new();
    let (server, _, operator) = start(&folder).await;
    let made = server.created(&picture("a house")).await;
    server.when_over(&made).await;
    set(&operator, &json!({ "provider:local": false })).await;
    let refused = server.http.post(CREATE, &picture("a ship")).await;
    refused.assert_problem(503, "UNAVAILABLE");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(server.create(&picture("a house")).await["answer"], "cache");
    set(&operator, &json!({ "provider:local": true })).await;
    let id = server.created(&picture("a ship")).await;
    assert_eq!(server.when_over(&id).await["status"], "completed");
    // Without submissions creates are taken, and wait.
    set(&operator, &json!({ "submission": false })).await;
    let id = server.created(&picture("a bridge")).await;
    assert_eq!(server.get(&id).await["paused"]["by"], "submission");
    set(&operator, &json!({ "submission": null })).await;
    assert_eq!(server.when_over(&id).await["status"], "completed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_polled_is_left_alone() {
    let folder = Folder::new();
    let (server, maker, operator) = start(&folder).await;
    set(&operator, &json!({ "polling": false })).await;
    let id = server.created(&made_by_maker("nobody asks")).await;
    server.when(&id, "it is sent", |seen| seen["stage"] == "submitted").await;
    let other = server.created(&picture_with("another", json!({ "fail": "param_invalid" }))).await;
    server.when_over(&other).await;
    assert!(maker.book().polled.is_empty(), "{:?}", maker.book().polled);
    set(&operator, &json!({ "polling": true })).await;
    assert_eq!(server.when_over(&id).await["status"], "completed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_plans_rates_and_the_sunset_count_at_once() {
    let folder = Folder::new();
    let (server, _, operator) = start(&folder).await;
    let failing = |name: &str| {
        let wish = picture_with(name, json!({ "fail": "content_filtered" }));
        merged(wish, json!({ "config": { "fallback": { "mode": "retry" } } }))
    };
    set(&operator, &json!({ "retry:content_filtered": 0 })).await;
    let id = server.created(&failing("never again")).await;
    assert_eq!(server.when_over(&id).await["attempts"].as_array().unwrap().len(), 1);
    set(&operator, &json!({ "retry:content_filtered": 1, "attempts": 9 })).await;
    let id = server.created(&failing("once more")).await;
    assert_eq!(server.when_over(&id).await["attempts"].as_array().unwrap().len(), 2);

    set(&operator, &json!({ "plan:free": { "in_flight": 1, "runs_month": 100 } })).await;
    let hang = |name: &str| picture_with(name, json!({ "fail": "hang" }));
    let first = server.http.post(CREATE, &hang("one")).await;
    assert_eq!(first.status, 202, "{}", first.text());
    assert_eq!(first.header("onepath-remaining"), Some("in_flight=0, runs_month=99"));
    assert!(first.header("onepath-resets-at").is_some());
    let limited = server.http.post(CREATE, &hang("two")).await;
    limited.assert_problem(429, "TOO_MANY_INFLIGHT");
    assert_eq!(limited.json()["limit"]["allowed"], 1);
    set(&operator, &json!({ "plan:free": null })).await;
    let second = server.http.post(CREATE, &hang("two")).await;
    assert_eq!((second.status, second.header("onepath-remaining")), (202, None));

    set(&operator, &json!({ "rate:calls": "2/3600" })).await;
    let ada = server.http.with_key("ada");
    let seen = [ada.get(CREATE).await.status, ada.get(CREATE).await.status];
    assert_eq!(seen, [200, 200]);
    ada.get(CREATE).await.assert_problem(429, "RATE_LIMITED");
    // The operator has used up theirs, too; the next process does not ask.
    let other = Server::open(&settings(&folder)).unwrap();
    let changes = json!({ "rate:calls": null, "jobs_sunset": "2001-01-01T00:00:00Z" });
    other.service().change_settings("night shift", changes.as_object().unwrap()).await.unwrap();
    within("every process sees it", async {
        while ada.get(CREATE).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    ada.get("/api/v1/jobs").await.assert_problem(410, "GONE");
    server.stop().await;
}
