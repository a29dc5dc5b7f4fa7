//! Lists: filtered by every name, page by page, counted on request.

use serde_json::{Value, json};

use super::{Folder, Running, faults, merged, picture};

const LIST: &str = "/api/v1/generations";

fn ids(page: &Value) -> Vec<&str> {
    let all = page["generations"].as_array().unwrap();
    all.iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_of_a_query_narrows() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let one = json!({ "workspace_id": 7, "world_id": "harbor", "name": "First light" });
    let one = server.created(&merged(picture("a house"), one)).await;
    server.when_over(&one).await;
    let two = json!({ "scheduled_at": "2999-01-01T00:00:00Z", "description": "a 50% draft" });
    let two = server.created(&merged(picture("a ship"), two)).await;
    let seen = server.get(&one).await;
    assert_eq!((&seen["workspace_id"], &seen["world_id"]), (&json!("7"), &json!("harbor")));
    let created = server.get(&two).await["timings"]["created_at"].as_str().unwrap().to_owned();
    let hash = seen["request_hash"].as_str().unwrap();
    for (query, expected) in [
        (String::new(), vec![&two, &one]),
        ("status=completed".into(), vec![&one]),
        ("status=pending".into(), vec![&two]),
        ("operation_type=text_to_image".into(), vec![&two, &one]),
        ("operation_type=fusion".into(), vec![]),
        ("provider_id=local".into(), vec![&two, &one]),
        ("provider_id=moon".into(), vec![]),
        ("world_id=harbor".into(), vec![&one]),
        ("workspace_id=7".into(), vec![&one]),
        ("workspace_id=8".into(), vec![]),
        (format!("request_hash={hash}"), vec![&one]),
        ("q=LIGHT".into(), vec![&one]),
        ("q=50%25".into(), vec![&two]),
        ("q=5_%25".into(), vec![]),
        (format!("created_before={created}"), vec![&one]),
        (format!("created_after={created}"), vec![&two]),
        ("limit=1".into(), vec![&two]),
        ("offset=1".into(), vec![&one]),
        ("offset=1&limit=1&workspace_id=7".into(), vec![]),
    ] {
        let page = server.http.get(&format!("{LIST}?{query}")).await.json();
        assert_eq!(ids(&page), expected, "{query}");
        assert!(page.get("total").is_none(), "nobody asked: {page}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_from_one_to_the_next() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut made = Vec::new();
    for index in 0..5 {
        let wish = json!({ "workspace_id": "a b&c", "scheduled_at": "2999-01-01T00:00:00Z" });
        made.push(server.created(&merged(picture(&format!("picture {index}")), wish)).await);
    }
    made.reverse();
    let mut path = format!("{LIST}?limit=2&count=true&workspace_id=a%20b%26c");
    let mut seen = Vec::new();
    loop {
        let reply = server.http.get(&path).await;
        let page = reply.json();
        assert_eq!((&page["total"], &page["limit"]), (&json!(5), &json!(2)));
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(link) = reply.header("link") else {
            assert!(page.get("next_cursor").is_none());
            break;
        };
        let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        path = next.unwrap_or_else(|| panic!("{link}")).to_owned();
        assert!(path.contains(&format!("cursor={}", page["next_cursor"].as_str().unwrap())));
    }
    assert_eq!(seen, made);
    let page = server.http.get(&format!("{LIST}?offset=4&limit=2")).await.json();
    assert_eq!((ids(&page), &page["offset"]), (vec![made[4].as_str()], &json!(4)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_query_says_wrong_is_said_all_at_once() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let query = "status=queued&operation_type=x&limit=0&offset=-1&cursor=x&count=yes\
                 &created_after=yesterday&stauts=failed&q=%00";
    let reply = server.http.get(&format!("{LIST}?{query}")).await;
    reply.assert_problem(422, "VALIDATION_ERROR");
    let pointers: Vec<String> = faults(&reply).into_iter().map(|(_, at)| at).collect();
    let expected =
        ["status", "operation_type", "limit", "offset", "cursor", "count", "created_after"];
    let expected = expected.into_iter().chain(["stauts", "q"]).map(|name| format!("/{name}"));
    assert_eq!(pointers, expected.collect::<Vec<_>>());
    server.stop().await;
}
