//! One call, one run, one debit: idempotency, plans, usage, and what owners do with their rows.

use onepath_core::Rating;
use onepath_server::service::Plans;
use onepath_server::store::{Reader, User, World};
use serde_json::{Value, json};

use super::{Folder, Running, merged, picture, picture_with, settings};

const CREATE: &str = "/api/v1/generations";

async fn create_with_key(server: &Running, key: &str, body: &Value) -> super::Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    server.http.send("POST", CREATE, &headers, body.to_string().as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_is_answered_the_same() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let always = merged(picture("a house"), json!({ "config": { "strategy": "always" } }));
    let first = create_with_key(&server, "\"one\"", &always).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, None));
    server.when_over(first.json()["id"].as_str().unwrap()).await;
    let again = create_with_key(&server, "one", &always).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, &again.body), (202, &first.body), "the same bytes");
    assert_eq!(again.header("location"), first.header("location"));
    // Another spelling is the same call; other content is not.
    let mut spelled = always.clone();
    spelled["config"]["generation_type"] =
        spelled["config"].as_object_mut().unwrap().remove("generationType").unwrap();
    assert_eq!(create_with_key(&server, "one", &spelled).await.body, first.body);
    let other = merged(always.clone(), json!({ "config": { "prompt": "a ship" } }));
    create_with_key(&server, "one", &other).await.assert_problem(422, "IDEMPOTENCY_MISMATCH");
    // Without the key, and under another, `always` is a new run each time.
    let third = create_with_key(&server, "two", &always).await.json();
    assert_ne!(third["id"], first.json()["id"]);
    create_with_key(&server, "", &always).await.assert_problem(422, "VALIDATION_ERROR");
    // A refusal is not kept: the same key may be used when the fault is mended.
    let wrong = merged(always.clone(), json!({ "priority": 11 }));
    create_with_key(&server, "three", &wrong).await.assert_problem(422, "VALIDATION_ERROR");
    assert_eq!(create_with_key(&server, "three", &always).await.status, 202);
    // The key of one user is not that of another.
    let headers =
        [("content-type", "application/json"), ("idempotency-key", "one"), ("onepath-user", "ada")];
    let of_ada = server.http.send("POST", CREATE, &headers, always.to_string().as_bytes()).await;
    assert_eq!(of_ada.header("idempotency-replayed"), None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_limits_what_is_in_flight_and_what_a_month_holds() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.plans = Plans::from_json(
        r#"{"small": {"in_flight": 2, "runs_month": 3}, "free": {"in_flight": 1}}"#,
    )
    .unwrap();
    let server = Running::with(&settings).await;
    let hang = |name: &str| picture_with(name, json!({ "fail": "hang" }));
    let ada = server.http.with_key("ada");
    let first = ada.post(CREATE, &hang("one")).await;
    assert_eq!(first.status, 202);
    let refused = ada.post(CREATE, &hang("two")).await;
    let problem = refused.assert_problem(429, "TOO_MANY_INFLIGHT");
    assert_eq!(problem["limit"], json!({ "name": "in_flight", "allowed": 1, "remaining": 0 }));
    assert!(refused.header("retry-after").is_some());
    // The same again is the same run: it needs no room.
    assert_eq!(ada.post(CREATE, &hang("one")).await.json()["answer"], "joined");
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let cancelled = ada.post(&format!("{CREATE}/{id}/cancel"), &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text());
    // Room comes back with the wish, the run is given back with its end.
    super::within("a cancelled run does not count", async {
        loop {
            let usage = ada.get("/api/v1/usage").await.json();
            assert_eq!(usage["in_flight"], 0);
            if usage["runs_month"] == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    // A user with a price has its plan.
    let reader = Reader { tenant: "studio".to_owned(), user: "paying".to_owned() };
    let user = User {
        reader,
        max_rating: None,
        reduce_intensity: false,
        price_id: Some("small".to_owned()),
        created_at: 0,
    };
    server.store.put_user(user).await.unwrap();
    let create = async |body: Value| {
        let headers = [("content-type", "application/json"), ("onepath-user", "paying")];
        server.http.send("POST", CREATE, &headers, body.to_string().as_bytes()).await
    };
    for name in ["a", "b", "c"] {
        let done = create(picture(name)).await;
        assert_eq!(done.status, 202, "{}", done.text());
        let id = done.json()["id"].as_str().unwrap().to_owned();
        let path = format!("{CREATE}/{id}");
        while server.http.send("GET", &path, &[("onepath-user", "paying")], b"").await.json()["status"]
            != "completed"
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    let problem = create(picture("d")).await.assert_problem(402, "LIMIT_EXCEEDED");
    assert_eq!(
        (&problem["limit"]["name"], &problem["limit"]["remaining"]),
        (&json!("runs_month"), &json!(0))
    );
    assert!(problem["limit"]["resets_at"].is_string());
    // What exists is answered all the same.
    assert_eq!(create(picture("a")).await.json()["answer"], "cache");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_a_new_run_with_its_own_settlement() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let id = server.created(&picture_with("wrong", json!({ "fail": "param_invalid" }))).await;
    let failed = server.when_over(&id).await;
    assert_eq!((&failed["status"], &failed["run"]), (&json!("failed"), &json!(1)));
    let path = format!("{CREATE}/{id}");
    let retried = server.http.post(&format!("{path}/retry"), &json!({})).await;
    assert_eq!(retried.status, 202, "{}", retried.text());
    assert_eq!(retried.json()["run"], 2);
    let failed = server.when_over(&id).await;
    assert_eq!((&failed["status"], &failed["run"]), (&json!("failed"), &json!(2)));
    assert_eq!(failed["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(server.http.get("/api/v1/usage").await.json()["runs_month"], 0);
    let done = server.created(&picture("a house")).await;
    server.when_over(&done).await;
    let again = server.http.post(&format!("{CREATE}/{done}/retry"), &json!({})).await;
    again.assert_problem(409, "CONFLICT");
    assert_eq!(server.http.get("/api/v1/usage").await.json()["runs_month"], 1);
    // Another user has nothing to retry, delete or change.
    for (method, path) in
        [("POST", format!("{CREATE}/{done}/retry")), ("DELETE", format!("{CREATE}/{done}"))]
    {
        let reply = server.http.with_key("ada").send(method, &path, &[], b"").await;
        reply.assert_problem(404, "NOT_FOUND");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_no_answer_and_stays_paid() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let id = server.created(&picture("a house")).await;
    let done = server.when_over(&id).await;
    let path = format!("{CREATE}/{id}");
    let patch = json!({ "name": "harbour", "tags": ["sea"] }).to_string();
    let headers = [("content-type", "application/json")];
    let patched = server.http.send("PATCH", &path, &headers, patch.as_bytes()).await.json();
    assert_eq!((&patched["name"], &patched["tags"]), (&json!("harbour"), &json!(["sea"])));
    let found = server.http.get(&format!("{CREATE}?q=arbou")).await.json();
    assert_eq!(found["generations"][0]["id"], id);
    let late = json!({ "priority": 1 }).to_string();
    let late = server.http.send("PATCH", &path, &headers, late.as_bytes()).await;
    late.assert_problem(409, "CONFLICT");
    let wrong = json!({ "nmae": 1, "tags": [""] }).to_string();
    let wrong = server.http.send("PATCH", &path, &headers, wrong.as_bytes()).await;
    assert_eq!(
        wrong.assert_problem(422, "VALIDATION_ERROR")["errors"].as_array().unwrap().len(),
        2
    );
    let twice = br#"{"name": "one", "name": "two"}"#;
    let twice = server.http.send("PATCH", &path, &headers, twice).await;
    twice.assert_problem(422, "VALIDATION_ERROR");
    assert_eq!(super::faults(&twice), [("json/duplicate-key".into(), "/name".into())]);
    let broken = server.http.send("PATCH", &path, &headers, b"{\"name\": }").await;
    assert_eq!(broken.assert_problem(400, "MALFORMED_JSON")["errors"][0]["column"], 10);
    assert_eq!(server.http.send("DELETE", &path, &[], b"").await.status, 204);
    server.http.get(&path).await.assert_problem(404, "NOT_FOUND");
    let url = done["assets"][0]["url"].as_str().unwrap();
    server.http.without_key().get(url).await.assert_problem(404, "NOT_FOUND");
    let list = server.http.get(CREATE).await.json();
    assert_eq!(list["generations"], json!([]));
    assert_eq!(server.http.get("/api/v1/usage").await.json()["runs_month"], 1);
    assert_ne!(server.created(&picture("a house")).await, id, "made anew");
    let hangs = server.created(&picture_with("hangs", json!({ "fail": "hang" }))).await;
    let running = server.http.send("DELETE", &format!("{CREATE}/{hangs}"), &[], b"").await;
    running.assert_problem(409, "CONFLICT");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_come_from_the_servers_own_rows() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let meta = |rating: &str| format!(r#"{{"generation": {{"maxContentRating": "{rating}"}}}}"#);
    for (id, rating) in [("calm", "sfw"), ("wild", "restricted")] {
        let world = World {
            tenant: "studio".to_owned(),
            id: id.to_owned(),
            name: None,
            meta: meta(rating),
            created_at: 0,
        };
        server.store.put_world(world).await.unwrap();
    }
    let user = User {
        reader: Reader { tenant: "studio".to_owned(), user: "game".to_owned() },
        max_rating: Some(Rating::Restricted),
        reduce_intensity: false,
        price_id: None,
        created_at: 0,
    };
    server.store.put_user(user).await.unwrap();
    let rating = async |more: Value| {
        let asked = json!({ "config": { "socialContext": {
            "contentRating": "mature_implied", "intimacyBand": "deep" } } });
        let wish = merged(merged(picture("a dance"), asked), more);
        let reply = server.http.post(&format!("{CREATE}/preflight"), &wish).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["rating"]["effective"].as_str().unwrap().to_owned()
    };
    assert_eq!(rating(json!({ "world_id": "wild" })).await, "mature_implied");
    assert_eq!(rating(json!({ "world_id": "calm" })).await, "sfw");
    assert_eq!(rating(json!({ "world": { "id": "calm" } })).await, "sfw");
    // What is not known is closed, and what a caller says only lowers.
    assert_eq!(rating(json!({})).await, "romantic");
    assert_eq!(rating(json!({ "world_id": "nowhere" })).await, "romantic");
    let given = |id: &str, rating: &str| json!({ "world": { "id": id, "meta": { "generation": { "maxContentRating": rating } } } });
    assert_eq!(rating(given("calm", "restricted")).await, "sfw");
    assert_eq!(rating(given("wild", "sfw")).await, "sfw");
    server.stop().await;
}
