//! `onepath prompts`: a file of templates and a server's families, back and forth, and terms that are
//! the same in CI and on the server.

use serde_json::{Value, json};

use super::{DEV, Folder, Serving, picture};

/// What a command prints, and its exit code.
fn run(folder: &Folder, server: &Serving, args: &[&str]) -> (Option<i32>, String) {
    let mut command = folder.command(args);
    let url = format!("http://{}", server.address);
    let output = command.env("ONEPATH_SERVER", url).env("ONEPATH_KEY", "k").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), told + &String::from_utf8(output.stderr).unwrap())
}

fn write(folder: &Folder, name: &str, value: &Value) {
    std::fs::write(folder.0.join(name), value.to_string()).unwrap();
}

fn read(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.0.join(name)).unwrap()).unwrap()
}

fn start(folder: &Folder) -> Serving {
    let mut command = folder.command(DEV);
    command.env("ONEPATH_DEV_KEY", "k");
    Serving::start(command)
}

#[test]
fn templates_of_a_file_are_versions_of_families_and_come_back() {
    let folder = Folder::new();
    let server = start(&folder);
    let quay = json!({ "quay": {
        "versionId": "mine", "text": "the quay at {{hour}}, {{n}} gulls", "negativeText": "text",
        "variables": { "n": 3, "hour": "dawn" }, "types": { "n": "number" },
    } });
    write(&folder, "prompts.json", &quay);
    let push = ["prompts", "push", "prompts.json", "--author", "noor", "--notes", "why"];
    assert_eq!(run(&folder, &server, &push), (Some(0), "quay  quay@1  added\n".to_owned()));
    assert_eq!(run(&folder, &server, &push), (Some(0), "quay  quay@1  there already\n".to_owned()));
    let mut changed = quay.clone();
    changed["quay"]["text"] = json!("the quay at {{hour}}, {{n}} terns");
    changed["quay"]["variables"]["hour"] = json!("dusk");
    write(&folder, "prompts.json", &changed);
    assert_eq!(run(&folder, &server, &push), (Some(0), "quay  quay@2  added\n".to_owned()));
    let list = (Some(0), "quay  quay@2\n".to_owned());
    assert_eq!(run(&folder, &server, &["prompts", "list"]), list);
    let told = "quay@1 → quay@2\n\
                the quay at {{hour}}, {{n}} [-gulls-]{+terns+}\n\
                variable hour: {\"default\":\"dawn\"} → {\"default\":\"dusk\"}\n";
    let diff = run(&folder, &server, &["prompts", "diff", "quay"]);
    assert_eq!(diff, (Some(1), told.to_owned()));
    let same = run(&folder, &server, &["prompts", "diff", "quay", "--from", "2", "--to", "quay@2"]);
    assert_eq!(same.0, Some(0));

    let pull = run(&folder, &server, &["prompts", "pull", "pulled.json"]);
    assert_eq!(pull, (Some(0), "pulled.json: 1 family\n".to_owned()));
    let mut expected = changed;
    expected["quay"]["versionId"] = json!("quay@2");
    assert_eq!(read(&folder, "pulled.json"), expected);
    // CI builds with what was pulled what the server builds with what it keeps.
    let mut wish = picture();
    wish["config"].as_object_mut().unwrap().remove("prompt");
    wish["config"]["templateId"] = json!("quay");
    write(&folder, "node.json", &wish["config"]);
    let print = ["fingerprint", "node.json", "--provider", "local", "--prompts", "pulled.json"];
    let print: Value = serde_json::from_str(&run(&folder, &server, &print).1).unwrap();
    let (status, created) = server.call("POST", "/api/v1/generations", "k", Some(&wish));
    assert_eq!((status, &created["request_hash"]), (202, &print["request_hash"]), "{created}");
    let path = format!("/api/v1/generations/{}", created["id"].as_str().unwrap());
    let told = server.call("GET", &path, "k", None).1;
    assert_eq!(told["final_prompt"], "the quay at dusk, 3 terns");

    write(&folder, "broken.json", &json!({ "quay": { "text": 1 } }));
    let (code, told) = run(&folder, &server, &["prompts", "push", "broken.json"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("json/wrong-type") && told.contains("json/empty-id"), "{told}");
    let (code, told) = run(&folder, &server, &["prompts", "usage", "pier"]);
    assert!(code == Some(2) && told.contains("no family of prompts of this id"), "{told}");
    assert_eq!(server.end("-TERM").0, Some(0));
}

#[test]
fn terms_are_the_same_in_ci_and_on_the_server() {
    let folder = Folder::new();
    let server = start(&folder);
    let terms = json!({ "blocked": ["lighthouse"], "flagged": ["sea"] });
    write(&folder, "terms.json", &terms);
    write(&folder, "node.json", &picture()["config"]);
    let check = ["check", "node.json", "--terms", "terms.json", "--output-format", "json"];
    let output = folder.command(&check).output().unwrap();
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(found.iter().any(|one| one["code"] == "prompt/blocked"), "{found:?}");
    let create = || server.call("POST", "/api/v1/generations", "k", Some(&picture()));
    let admin = ["admin", "terms", "set", "terms.json", "--data", "data", "--tenant", "dev"];
    let (code, told) = run(&folder, &server, &admin);
    assert_eq!((code, serde_json::from_str::<Value>(&told).unwrap()), (Some(0), terms.clone()));
    let (code, told) = run(&folder, &server, &["prompts", "terms"]);
    assert_eq!((code, serde_json::from_str::<Value>(&told).unwrap()), (Some(0), terms));
    let (status, problem) = create();
    assert_eq!(
        (status, &problem["errors"][0]["code"]),
        (422, &json!("prompt/blocked")),
        "{problem}"
    );
    write(&folder, "none.json", &json!({}));
    assert_eq!(run(&folder, &server, &["prompts", "terms", "--set", "none.json"]).0, Some(0));
    assert_eq!(create().0, 202);
    let (code, told) =
        run(&folder, &server, &["admin", "terms", "show", "--data", "data", "--tenant", "dev"]);
    let none = json!({ "blocked": [], "flagged": [] });
    assert_eq!((code, serde_json::from_str::<Value>(&told).unwrap()), (Some(0), none));
    assert_eq!(server.end("-TERM").0, Some(0));
}
