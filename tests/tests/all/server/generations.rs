//! Create, follow, list, cancel.

use serde_json::{Value, json};

use super::{Folder, Running, built, merged, picture, picture_with};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_created_followed_and_there() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut wish = picture("a lighthouse in the fog");
    wish["name"] = json!("Intro");
    wish["description"] = json!("The first picture.");
    let reply = server.http.post("/api/v1/generations", &wish).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    let created = reply.json();
    let id = created["id"].as_str().unwrap();
    assert_eq!(reply.header("location"), Some(&*format!("/api/v1/generations/{id}")));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!((&created["answer"], &created["lowered"]), (&json!("created"), &json!(false)));
    // The same request in editor, command and server.
    let options = json!({ "providerId": "local" });
    let elsewhere = built(&wish["config"], &options);
    assert_eq!(created["request_hash"], elsewhere["request_hash"]);

    let done = server.when_over(id).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    for (member, value) in [
        ("operation_type", json!("text_to_image")),
        ("generation_type", json!("text_to_image")),
        ("provider_id", json!("local")),
        ("strategy", json!("once")),
        ("user_id", json!("game")),
        ("number", json!(1)),
        ("run", json!(1)),
        ("priority", json!(5)),
        ("name", json!("Intro")),
        ("description", json!("The first picture.")),
        ("reusable", json!(true)),
        ("rating", json!({ "asked": "sfw", "effective": "sfw" })),
        ("request_hash", created["request_hash"].clone()),
        ("reproducible_hash", created["request_hash"].clone()),
        ("family_hash", created["family_hash"].clone()),
        ("cache_key", created["cache_key"].clone()),
    ] {
        assert_eq!(done[member], value, "{member}");
    }
    assert_eq!(done["request"]["prompt"], "a lighthouse in the fog");
    assert_eq!(done["request"]["cache_key"], created["cache_key"]);
    assert_eq!(done.get("error_code"), None);
    let attempts = done["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), &attempts[0]["number"]), (1, &json!(1)));
    assert!(attempts[0]["ended_at"].is_string() && attempts[0]["prediction_id"].is_string());
    for time in ["created_at", "updated_at", "started_at", "completed_at"] {
        let text = done["timings"][time].as_str().unwrap();
        assert!(text.starts_with("20") && text.ends_with('Z'), "{time}: {text}");
    }
    assert!(done["expires_at"].as_str() > done["timings"]["completed_at"].as_str());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_joined_then_answered_from_what_exists() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let slow = picture_with("a slow one", json!({ "fail": "hang" }));
    let first = server.created(&slow).await;
    let joined = server.http.post("/api/v1/generations", &slow).await;
    assert_eq!((joined.status, &joined.json()["answer"]), (202, &json!("joined")));
    assert_eq!(joined.json()["id"], first.as_str());

    let quick = picture("a quick one");
    let id = server.created(&quick).await;
    let drawn = server.when_over(&id).await;
    // Another user of the tenant is answered too, and sees nothing of who asked first.
    let ada = server.http.with_key("ada");
    let hit = ada.post("/api/v1/generations", &quick).await;
    assert_eq!((hit.status, &hit.json()["answer"]), (200, &json!("cache")), "{}", hit.text());
    assert_eq!(hit.json()["id"], id.as_str());
    let path = format!("/api/v1/generations/{id}");
    let seen = ada.get(&path).await.json();
    assert_eq!(seen["assets"][0]["sha256"], drawn["assets"][0]["sha256"]);

    // The same picture under another strategy has another key and the same hash.
    let own = merged(
        quick.clone(),
        json!({
            "config": { "strategy": "per_player", "seed": drawn["seed"] },
            "player_context": { "playerId": "p1" },
        }),
    );
    let shared = merged(quick.clone(), json!({ "config": { "seed": drawn["seed"] } }));
    assert_eq!(server.create(&shared).await["answer"], "cache");
    let by_hash = server.http.post("/api/v1/generations", &own).await;
    assert_eq!((by_hash.status, &by_hash.json()["answer"]), (200, &json!("hash")));
    assert_eq!(by_hash.json()["id"], id.as_str());

    let anew = merged(quick.clone(), json!({ "force_new": true }));
    let second = server.created(&anew).await;
    server.when_over(&second).await;
    assert_eq!(server.create(&quick).await["id"], second.as_str(), "it took the other's place");
    let always = merged(picture("never kept"), json!({ "config": { "strategy": "always" } }));
    let ids = [server.created(&always).await, server.created(&always).await];
    assert_ne!(ids[0], ids[1]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn preflight_says_what_a_create_will_answer() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = picture("a tower");
    let preflight = async || {
        let reply = server.http.post("/api/v1/generations/preflight", &wish).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let before = preflight().await;
    assert_eq!(before["answer"], "created");
    assert_eq!(before.get("generation_id"), None);
    assert_eq!(before["bounds"], json!({ "world": "romantic", "user": "romantic" }));
    let list = server.http.get("/api/v1/generations").await.json();
    assert_eq!(list["generations"], json!([]), "nothing was stored");
    let created = server.create(&wish).await;
    assert_eq!(created["request_hash"], before["request_hash"]);
    server.when_over(created["id"].as_str().unwrap()).await;
    let after = preflight().await;
    assert_eq!((&after["answer"], &after["generation_id"]), (&json!("cache"), &created["id"]));
    assert_eq!(after["price"]["micros"], 0, "what exists costs nothing");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn validate_finds_and_stores_nothing() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let validate = async |body: &Value| {
        let reply = server.http.post("/api/v1/generations/validate", body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let good = validate(&picture("a tower")).await;
    assert_eq!(good["valid"], true, "{good:#}");
    let bad = merged(
        picture("a tower"),
        json!({
            "config": { "duration": { "min": 9, "max": 1 }, "fallback": { "mode": "default_content" } },
        }),
    );
    let bad = validate(&bad).await;
    let codes = crate::codes(&bad);
    assert_eq!(bad["valid"], false);
    assert!(codes.contains(&"duration/min-exceeds-max".to_owned()), "{codes:?}");
    assert!(codes.contains(&"fallback/default-content-missing".to_owned()), "{codes:?}");
    let config = picture("a tower")["config"].take();
    let mut sent = built(&config, &json!({ "providerId": "local" }));
    assert_eq!(validate(&sent).await["valid"], true);
    sent["request"]["duration"] = json!({ "min": 9, "max": 1 });
    let found = validate(&sent).await;
    assert_eq!(found["findings"][0]["pointer"], "/request/duration/min", "{found:#}");
    let list = server.http.get("/api/v1/generations").await.json();
    assert_eq!(list["generations"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_the_callers_own_in_pages() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut made = Vec::new();
    for index in 0..5 {
        made.push(server.created(&picture(&format!("picture {index}"))).await);
    }
    for id in &made {
        server.when_over(id).await;
    }
    let wish = picture_with("a video", json!({ "fail": "param_invalid", "frames": 2 }));
    let video = merged(wish, json!({ "config": { "generationType": "text_to_video" } }));
    let video = server.created(&video).await;
    server.when_over(&video).await;
    made.push(video.clone());
    made.reverse();
    let ids = |page: &Value| -> Vec<String> {
        let list = page["generations"].as_array().unwrap();
        list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let page = async |query: &str| {
        let reply = server.http.get(&format!("/api/v1/generations{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let all = page("").await;
    assert_eq!((ids(&all), &all["limit"]), (made.clone(), &json!(50)));
    assert_eq!(all.get("next_cursor"), None);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let part = page(&format!("?limit=4{cursor}")).await;
        seen.extend(ids(&part));
        match part.get("next_cursor") {
            Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, made);
    assert_eq!(ids(&page("?status=failed").await), [video.as_str()]);
    assert_eq!(ids(&page("?operation_type=text_to_video&status=failed").await), [video.as_str()]);
    assert_eq!(ids(&page("?status=completed&limit=200").await), made[1..]);
    assert_eq!(ids(&page("?provider_id=nobody").await), Vec::<String>::new());
    let hash = server.get(&video).await["request_hash"].as_str().unwrap().to_owned();
    assert_eq!(ids(&page(&format!("?request_hash={hash}")).await), [video.as_str()]);
    for key in ["ada", "elsewhere"] {
        let others = server.http.with_key(key).get("/api/v1/generations").await;
        assert_eq!(others.json()["generations"], json!([]), "{key}");
    }
    let wrong = "?status=done&operation_type=x&limit=0&limit=201&cursor=7&colour=red";
    let reply = server.http.get(&format!("/api/v1/generations{wrong}")).await;
    reply.assert_problem(422, "VALIDATION_ERROR");
    let pointers: Vec<String> =
        super::faults(&reply).into_iter().map(|(_, pointer)| pointer).collect();
    assert_eq!(pointers, ["/status", "/operation_type", "/limit", "/limit", "/cursor", "/colour"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_is_cancelled() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = picture_with("for ever", json!({ "fail": "hang" }));
    let id = server.created(&wish).await;
    server.when(&id, "the provider has it", |seen| seen["stage"] == "submitted").await;
    let path = format!("/api/v1/generations/{id}/cancel");
    let reply = server.http.send("POST", &path, &[], b"").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["cancel_requested"], true);
    let ended = server.when_over(&id).await;
    assert_eq!(
        (&ended["status"], &ended["error_code"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    assert_eq!((&ended["reusable"], &ended["assets"]), (&json!(false), &json!([])));
    let again = server.http.send("POST", &path, &[], b"").await;
    assert_eq!((again.status, &again.json()["status"]), (200, &json!("cancelled")));
    // It is no answer to anybody, and blocks nobody.
    let anew = server.created(&wish).await;
    assert_ne!(anew, id);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_ones_own_interest_only() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = picture_with("wanted by two", json!({ "fail": "hang" }));
    let id = server.created(&wish).await;
    let cancel = format!("/api/v1/generations/{id}/cancel");
    let (ada, ben) = (server.http.with_key("ada"), server.http.with_key("ben"));
    ben.send("POST", &cancel, &[], b"").await.assert_problem(404, "NOT_FOUND");
    assert_eq!(ada.post("/api/v1/generations", &wish).await.json()["answer"], "joined");
    let mine = server.http.send("POST", &cancel, &[], b"").await.json();
    assert_ne!(mine["status"], "cancelled");
    assert_eq!((&mine["user_id"], &mine["cancel_requested"]), (&json!("ada"), &json!(false)));
    assert_eq!(ada.send("POST", &cancel, &[], b"").await.status, 200);
    assert_eq!(server.when_over(&id).await["status"], "cancelled");

    let done = server.created(&picture("done")).await;
    server.when_over(&done).await;
    let late = format!("/api/v1/generations/{done}/cancel");
    server.http.send("POST", &late, &[], b"").await.assert_problem(409, "CONFLICT");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_scheduled_waits_and_is_pulled_forward_by_a_join() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = merged(picture("later"), json!({ "scheduled_at": "2999-01-01T02:00:00+02:00" }));
    let id = server.created(&merged(wish, json!({ "priority": 9 }))).await;
    let other = server.created(&picture("meanwhile")).await;
    server.when_over(&other).await;
    let waits = server.get(&id).await;
    assert_eq!((&waits["status"], &waits["attempts"]), (&json!("pending"), &json!([])));
    assert_eq!(waits["scheduled_at"], "2999-01-01T00:00:00.000Z");
    assert_eq!(waits["deferred_until"], waits["scheduled_at"]);
    let joined = server.create(&picture("later")).await;
    assert_eq!((&joined["answer"], &joined["id"]), (&json!("joined"), &json!(id)));
    let done = server.when_over(&id).await;
    assert_eq!((&done["status"], &done["priority"]), (&json!("completed"), &json!(5)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_at_once_are_one_generation() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = picture("wanted by all");
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let (http, wish) = (server.http.clone(), wish.clone());
            tokio::spawn(async move { http.post("/api/v1/generations", &wish).await.json() })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    assert!(answers.iter().all(|answer| answer["id"] == answers[0]["id"]), "{answers:#?}");
    let created = answers.iter().filter(|answer| answer["answer"] == "created").count();
    assert_eq!(created, 1);
    let done = server.when_over(answers[0]["id"].as_str().unwrap()).await;
    assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "drawn once");
    server.stop().await;
}
