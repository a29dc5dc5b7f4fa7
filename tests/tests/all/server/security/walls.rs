//! Walls between tenants and between users: reuse, ids, streams.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::events::Stream;
use super::super::http::{Http, Reply};
use super::super::{Folder, Running, assets, merged, picture, picture_with, within};

const CREATE: &str = "/api/v1/generations";

async fn when_over(http: &Http, id: &str) -> Value {
    within("it is over", async {
        loop {
            let seen = http.get(&format!("{CREATE}/{id}")).await.json();
            if ["completed", "failed", "cancelled"].contains(&seen["status"].as_str().unwrap()) {
                return seen;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
}

/// S2: the same wish of another tenant is a run of its own under every strategy, whatever its key,
/// its hash or its idempotency key, and nothing of the one is seen by the other.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s2_nothing_is_shared_between_tenants() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let (here, there) = (server.http.with_key("backend"), server.http.with_key("elsewhere"));
    let mut told = Stream::open(&server, "elsewhere", "?cursor=0", None).await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "the-same")];
    let (mut ours, mut last) = (BTreeSet::new(), String::new());
    for (strategy, more) in [
        ("once", json!({})),
        ("per_player", json!({ "player_context": { "playerId": "p1" } })),
        (
            "per_playthrough",
            json!({ "player_context": { "playerId": "p1", "playthroughId": "t1" } }),
        ),
        ("always", json!({})),
    ] {
        let wish = merged(picture(strategy), json!({ "config": { "strategy": strategy } }));
        let wish = merged(wish, more).to_string();
        let ask = async |http: &Http, in_flight: bool| {
            let key = format!("{strategy}-{in_flight}");
            let headers = [headers[0], ("idempotency-key", key.as_str())];
            let reply = http.send("POST", CREATE, &headers, wish.as_bytes()).await;
            assert_eq!(reply.header("idempotency-replayed"), None, "{strategy}");
            reply.json()
        };
        let mine = ask(&here, true).await;
        let id = mine["id"].as_str().unwrap().to_owned();
        let done = when_over(&here, &id).await;
        let asset = done["asset_id"].as_str().unwrap().to_owned();
        // The same content, the same key of idempotency, while it exists.
        let other = ask(&there, true).await;
        assert_eq!(other["answer"], "created", "{strategy}");
        assert_ne!(other["id"], mine["id"]);
        let hash = mine["request_hash"].as_str().unwrap();
        let other_id = other["id"].as_str().unwrap().to_owned();
        let theirs = when_over(&there, &other_id).await;
        assert_ne!(theirs["asset_id"], done["asset_id"]);
        for path in [
            format!("{CREATE}/{id}"),
            format!("/api/v1/assets/{asset}"),
            format!("/api/v1/assets/{asset}/file"),
            format!("/api/v1/assets/{asset}/lineage"),
        ] {
            there.get(&path).await.assert_problem(404, "NOT_FOUND");
        }
        let list = there.get(&format!("{CREATE}?request_hash={hash}")).await.json();
        let found: Vec<&Value> =
            list["generations"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(found, [&other["id"]], "{strategy}");
        assert!(!there.get("/api/v1/assets").await.text().contains(&asset));
        ours.extend([id, asset]);
        last = other_id;
    }
    // A run on its way is not joined either.
    let hangs = picture_with("it hangs", json!({ "fail": "hang" }));
    let mine = here.post(CREATE, &hangs).await.json();
    let other = there.post(CREATE, &hangs).await.json();
    assert_eq!((&mine["answer"], &other["answer"]), (&json!("created"), &json!("created")));
    ours.insert(mine["id"].as_str().unwrap().to_owned());
    // Every event of ours was before the end of their last one.
    loop {
        let event = told.next().await;
        for name in ["generation_id", "asset_id"] {
            let id = event[name].as_str().unwrap_or_default();
            assert!(!ours.contains(id), "{event}");
        }
        if event["generation_id"] == last.as_str() && event["type"] == "generation.completed" {
            break;
        }
    }
    server.stop().await;
}

/// What belongs to somebody else, by the path under which it would be found.
struct Foreign {
    generation: String,
    asset: String,
    job: String,
    endpoint: String,
    delivery: String,
}

impl Foreign {
    /// The id that a path wants; none if what it names is nobody's.
    fn of(&self, path: &str, name: &str) -> Option<&str> {
        match (path, name) {
            (path, _) if path.contains("/accounts/") || path.contains("/telemetry/") => None,
            (path, _) if path.starts_with("/schema/") || path.contains("/webhooks/") => None,
            (_, "delivery") => Some(&self.delivery),
            (path, "id") if path.contains("/assets/") => Some(&self.asset),
            (path, "id") if path.contains("/jobs/") => Some(&self.job),
            (path, "id") if path.contains("/webhook-endpoints/") => Some(&self.endpoint),
            (path, "id") if path.starts_with(CREATE) => Some(&self.generation),
            // Whatever else there is: an id of another kind is nobody's, too.
            _ => Some(&self.generation),
        }
    }

    /// Every id that nobody else may ever see in an answer.
    fn all(&self) -> [&str; 4] {
        [&self.generation, &self.asset, &self.endpoint, &self.delivery]
    }
}

/// One of everything, private to the user `game` of the tenant `studio`.
async fn belongings(server: &Running) -> Foreign {
    let own = merged(picture("for one"), json!({ "config": { "strategy": "always" } }));
    let generation = server.created(&own).await;
    let done = server.when_over(&generation).await;
    let http = &server.http;
    let png = assets::png(3, 2);
    let upload = http.send("POST", "/api/v1/assets", &[("content-type", "image/png")], &png).await;
    let endpoint = json!({ "url": "https://hooks.example.com/" });
    let endpoint = http.post("/api/v1/webhook-endpoints", &endpoint).await.json();
    let endpoint = endpoint["id"].as_str().unwrap().to_owned();
    let ping = format!("/api/v1/webhook-endpoints/{endpoint}/test");
    let delivery = http.send("POST", &ping, &[], b"").await.json();
    Foreign {
        generation,
        asset: upload.json()["id"].as_str().unwrap().to_owned(),
        job: done["number"].to_string(),
        endpoint,
        delivery: delivery["id"].as_str().unwrap().to_owned(),
    }
}

fn body(path: &str, method: &str) -> Value {
    match method {
        "PATCH" if path.contains("/webhook-endpoints/") => json!({ "events": null }),
        "POST" if path.ends_with("/render") => json!({}),
        "POST" if path.ends_with("/versions") => json!({ "text": "mine now" }),
        _ => json!({ "name": "mine now" }),
    }
}

/// S19: every operation of the one table with the id of somebody else answers as with an id of
/// nobody: 404, or what the caller's key does not allow anyway.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s19_every_operation_refuses_a_foreign_id() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let foreign = belongings(&server).await;
    let nobody = Foreign {
        generation: "01990000-0000-7000-8000-000000000000".to_owned(),
        asset: "01990000-0000-7000-8000-000000000001".to_owned(),
        job: "999999999".to_owned(),
        endpoint: "01990000-0000-7000-8000-000000000002".to_owned(),
        delivery: "01990000-0000-7000-8000-000000000003".to_owned(),
    };
    let document = onepath_server::http::openapi();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let names: Vec<&str> =
            path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_ascii_uppercase();
            if names.is_empty() {
                if method == "GET" && operation["tags"][0] != "events" {
                    for key in ["ben", "elsewhere"] {
                        let text = server.http.with_key(key).get(path).await.text();
                        let seen = foreign.all().into_iter().find(|id| text.contains(id));
                        assert_eq!(seen, None, "{path} shows {key} what is not theirs");
                    }
                }
                continue;
            }
            let real = |of: &Foreign| {
                names.iter().try_fold(path.clone(), |real, name| {
                    Some(real.replace(&format!("{{{name}}}"), of.of(path, name)?))
                })
            };
            let (Some(theirs), Some(nothing)) = (real(&foreign), real(&nobody)) else { continue };
            for key in ["ben", "elsewhere"] {
                let http = server.http.with_key(key);
                let ask = async |path: &str| -> Reply {
                    if operation["requestBody"].is_null() {
                        return http.send(&method, path, &[], b"").await;
                    }
                    let headers = [("content-type", "application/json")];
                    let body = body(path, &method).to_string();
                    http.send(&method, path, &headers, body.as_bytes()).await
                };
                let (seen, expected) = (ask(&theirs).await, ask(&nothing).await);
                let what = format!("{method} {theirs} by {key}: {}", seen.text());
                assert!([403, 404].contains(&seen.status), "{what}");
                assert_eq!(
                    (seen.status, seen.json()),
                    (expected.status, expected.json()),
                    "{what}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried >= 36, "{tried} operations have ids");
    // Nothing happened to any of it.
    let kept = server.get(&foreign.generation).await;
    assert_eq!((&kept["status"], kept.get("name")), (&json!("completed"), None));
    for path in [
        format!("/api/v1/assets/{}", foreign.asset),
        format!("/api/v1/webhook-endpoints/{}/deliveries", foreign.endpoint),
        format!("/api/v1/jobs/{}", foreign.job),
    ] {
        assert_eq!(server.http.get(&path).await.status, 200, "{path}");
    }
    server.stop().await;
}

/// S21: a reader that is slow hears everything once and in order when it reads, and holds nobody up
/// meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s21_a_slow_reader_misses_nothing_and_holds_nobody_up() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut slow = Stream::open(&server, "backend", "", None).await;
    let mut ids = Vec::new();
    for number in 0..60 {
        let wish = picture_with(&format!("picture {number}"), json!({ "fail": "param_invalid" }));
        ids.push(server.created(&wish).await);
    }
    for id in &ids {
        server.when_over(id).await;
    }
    let mut seen: std::collections::BTreeMap<String, Vec<i64>> = Default::default();
    let mut cursors = Vec::new();
    while seen.values().filter(|numbers| numbers.len() == 3).count() < ids.len() {
        let event = slow.next().await;
        cursors.push(event["cursor"].as_i64().unwrap());
        let id = event["generation_id"].as_str().unwrap().to_owned();
        seen.entry(id).or_default().push(event["number"].as_i64().unwrap());
    }
    assert!(seen.values().all(|numbers| *numbers == [1, 2, 3]), "once, and in order");
    assert!(cursors.is_sorted_by(|one, next| one < next), "{cursors:?}");
    for query in ["", "?token=nobody"] {
        let http = server.http.without_key();
        http.get(&format!("{CREATE}/events{query}")).await.assert_problem(401, "UNAUTHENTICATED");
    }
    server.stop().await;
}
