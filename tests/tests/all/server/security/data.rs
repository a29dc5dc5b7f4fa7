//! What data may do: numbers that collide, keys that collide, texts that are statements.

use std::path::Path;

use onepath_core::canonicalize;
use serde_json::{Value, json};

use super::super::{Folder, Running, merged, picture};

const CREATE: &str = "/api/v1/generations";

/// S11: what two numbers would write alike is refused before it is hashed, and what is canonical
/// stays what it is.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s11_numbers_never_collide() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let with = |number: &str| {
        picture("a house").to_string().replace("\"width\":96", &format!("\"width\":{number}"))
    };
    for wrong in
        ["9007199254740992", "9007199254740993", "-9007199254740993", "1e999", "NaN", "Infinity"]
    {
        let reply = server.http.post_text(CREATE, with(wrong).as_bytes()).await;
        assert!([400, 422].contains(&reply.status), "{wrong}: {}", reply.text());
    }
    // A member that stands twice says two things.
    let twice = picture("a house").to_string().replace("\"width\":96", "\"width\":96,\"width\":64");
    let reply = server.http.post_text(CREATE, twice.as_bytes()).await;
    reply.assert_problem(422, "VALIDATION_ERROR");
    // One value, one hash, however it is written; another value, another hash.
    let hash = async |number: &str| {
        let path = "/api/v1/generations/preflight";
        server.http.post_text(path, with(number).as_bytes()).await.json()["request_hash"].clone()
    };
    let seen = hash("96").await;
    assert!(seen.is_string());
    for same in ["96.0", "9.6e1", "960e-1"] {
        assert_eq!(hash(same).await, seen, "{same}");
    }
    assert_ne!(hash("97").await, seen);
    for text in ["0.1", "1e21", "5e-324", "-0.0", "9007199254740991", "0.30000000000000004"] {
        let once = canonicalize(text).unwrap();
        assert_eq!(canonicalize(&once).unwrap(), once, "{text}");
        let (before, after): (f64, f64) = (text.parse().unwrap(), once.parse().unwrap());
        assert_eq!(before, after, "{text}");
    }
    server.stop().await;
}

/// Files of a folder with an ending, whatever the depth.
fn files(folder: &Path, ending: &str, into: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                files(&path, ending, into);
            }
        } else if path.extension().is_some_and(|known| known == ending) {
            into.push(path);
        }
    }
}

fn sources(rooms: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for room in rooms {
        files(&root.join(room), "rs", &mut found);
    }
    let read = |path: std::path::PathBuf| {
        (path.display().to_string(), std::fs::read_to_string(&path).unwrap())
    };
    found.into_iter().map(read).collect()
}

/// S12: no map that takes keys from outside has a hasher without a secret, and a document has only
/// so many members.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s12_keys_cannot_be_made_to_collide() {
    let rooms = ["core/src", "server-adapter/src", "client/src", "cli/src", "wasm/src"];
    for (file, text) in sources(&rooms) {
        for word in ["FxHash", "ahash", "fnv::", "BuildHasherDefault", "nohash", "rustc_hash"] {
            assert!(!text.contains(word), "{file} names {word}: its keys may come from outside");
        }
    }
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    // These collide under FxHash: multiples of a power of two.
    let members: Vec<String> =
        (0..5_000_u64).map(|number| format!("\"{:016x}\":1", number << 44)).collect();
    let flags = format!("{{{}}}", members.join(","));
    let wish = picture("a house").to_string();
    let wish = wish.replacen('{', &format!("{{\"player_context\":{{\"flags\":{flags}}},"), 1);
    let reply = server.http.post_text(CREATE, wish.as_bytes()).await;
    reply.assert_problem(422, "VALIDATION_ERROR");
    server.stop().await;
}

/// S17: statements are written by us alone, and what comes from outside is a value of them.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s17_texts_are_never_statements() {
    // The port takes statements that live as long as the program: they are written in it.
    let all = sources(&["server-adapter/src/store"]);
    let port = all.iter().find(|(file, _)| file.ends_with("store/sql/mod.rs")).unwrap();
    assert!(port.1.contains("sql: &'static str"));
    for (file, text) in all.iter().filter(|(file, _)| !file.contains("/tests/")) {
        assert!(!text.contains("Box::leak"), "{file} makes a statement at run time");
        let formats = text.match_indices("format!(\"SELECT").count()
            + text.match_indices("format!(\"UPDATE").count()
            + text.match_indices("format!(\"DELETE").count();
        assert_eq!(formats, 0, "{file} writes a statement out of parts");
    }
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let hostile = [
        "' OR '1'='1",
        "'; DROP TABLE generations; --",
        "%",
        "_",
        "\\",
        "\" UNION SELECT hash FROM keys --",
        "a' AND (SELECT 1 FROM keys) --",
        "?1",
        "$1",
        "\u{202e}\u{feff}'",
    ];
    let id = server.created(&picture("a house")).await;
    server.when_over(&id).await;
    let encoded =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    for text in hostile {
        let wish = merged(
            picture(text),
            json!({ "name": text, "description": text, "workspace_id": text, "world_id": text }),
        );
        let named = server.created(&wish).await;
        assert_eq!(server.get(&named).await["name"], text);
        for name in ["provider_id", "world_id", "workspace_id", "request_hash", "q"] {
            let list = server.http.get(&format!("{CREATE}?{name}={}", encoded(text))).await;
            assert_eq!(list.status, 200, "{name}={text}: {}", list.text());
            let found = list.json()["generations"].as_array().unwrap().len();
            let expected = usize::from(!["provider_id", "request_hash"].contains(&name));
            assert!(found >= expected, "{name}={text}");
            assert!(found <= hostile.len(), "{name}={text} finds everything");
        }
        for name in ["status", "operation_type", "created_after", "limit", "offset", "cursor"] {
            let list = server.http.get(&format!("{CREATE}?{name}={}", encoded(text))).await;
            list.assert_problem(422, "VALIDATION_ERROR");
        }
        for path in [
            format!("{CREATE}/{}", encoded(text)),
            format!("/api/v1/assets/{}", encoded(text)),
            format!("/api/v1/jobs/{}", encoded(text)),
        ] {
            server.http.get(&path).await.assert_problem(404, "NOT_FOUND");
        }
        let headers = [("content-type", "application/json"), ("onepath-user", "' OR 1=1 --")];
        let body = picture(text).to_string();
        let sent = server.http.send("POST", CREATE, &headers, body.as_bytes()).await;
        assert!([200, 202].contains(&sent.status), "{}", sent.text());
        let tags = json!({ "tags": [text] }).to_string();
        let path = format!("{CREATE}/{named}");
        let json = [("content-type", "application/json")];
        let patched = server.http.send("PATCH", &path, &json, tags.as_bytes()).await.json();
        assert_eq!(patched["tags"], json!([text]));
    }
    let kept: Value = server.get(&id).await;
    assert_eq!(kept["status"], "completed");
    server.stop().await;
}
