//! `onepath plan` in repositories as people have them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code: a failing test is supposed to stop"
)]

mod folder;

use std::path::Path;
use std::process::Command;

use folder::{Folder, Ran};
use serde_json::{Value, json};

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"])
        .args(["-c", "core.autocrlf=false", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A repository with everything that the folder holds in one commit.
fn commit(folder: &Folder) -> String {
    if !folder.path().join(".git").exists() {
        git(folder.path(), &["init", "--quiet"]);
    }
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message", "a change"]);
    git(folder.path(), &["rev-parse", "HEAD"]).trim().to_owned()
}

fn scene(nodes: &[Value]) -> String {
    json!({ "scenes": [{ "id": "quay", "mood": "calm" }], "nodes": nodes }).to_string()
}

fn node(id: &str, prompt: &str) -> Value {
    json!({ "id": id, "config": {
        "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
        "seedSource": "fixed", "seed": 7, "prompt": prompt, "fallback": { "mode": "skip" },
    } })
}

fn plan(folder: &Folder, more: &[&str]) -> (Value, Ran) {
    let mut args = vec!["plan", "--base", "HEAD", "--output-format", "json"];
    args.extend(more);
    let ran = folder.run(&args);
    assert!(ran.code < 2, "{}", ran.err);
    (serde_json::from_str(&ran.out).unwrap(), ran)
}

/// `change file#name` of every node that is told.
fn told(plan: &Value) -> Vec<String> {
    let name = |node: &Value| {
        let side = if node["head"].is_null() { &node["base"] } else { &node["head"] };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {}#{}", text(&node["change"]), text(&side["file"]), text(&side["name"]))
    };
    plan["nodes"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn nothing_changed_is_clean_and_a_changed_prompt_is_told_with_its_price() {
    let folder = Folder::new();
    folder.write("scenes/a.json", &scene(&[node("lamp", "a lamp"), node("gull", "a gull")]));
    let id = commit(&folder);
    let ran = folder.run(&["plan", "--base", "HEAD", "--provider", "pixverse"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, format!("since HEAD ({}): 2 unchanged\n", &id[..7]));

    folder.write("scenes/a.json", &scene(&[node("lamp", "a brass lamp"), node("gull", "a gull")]));
    let (plan, ran) = plan(&folder, &["--provider", "pixverse"]);
    assert_eq!(ran.code, 1);
    assert_eq!(plan["base"], json!({ "revision": "HEAD", "commit": id }));
    assert_eq!(told(&plan), ["changed scenes/a.json#lamp"]);
    let changed = &plan["nodes"][0];
    assert_eq!(
        changed["differences"],
        json!([{ "pointer": "/prompt", "left": "a lamp", "right": "a brass lamp",
            "policy": "identity", "changes_key": true }])
    );
    assert_eq!(
        changed["causes"],
        json!([{ "part": "node", "file": "scenes/a.json", "subjects": [] }])
    );
    assert_eq!(changed["result"], "make");
    let base_key = changed["base"]["cache_key"].as_str().unwrap();
    assert_ne!(base_key, changed["head"]["cache_key"]);
    assert_eq!(
        plan["invalidated"],
        json!([{ "cache_key": base_key, "file": "scenes/a.json", "name": "lamp" }])
    );
    assert_eq!(
        plan["totals"],
        json!([{ "provider": "pixverse", "results": 1, "micros": 0, "credits": 5, "unknown": [] }])
    );
    // What it costs may be bounded, and what makes the command fail chosen.
    for (more, code) in [
        (&["--fail-on", "refused"][..], 0),
        (&["--fail-on", "never"], 0),
        (&["--fail-on", "never", "--max-cost", "100"], 1),
        (&["--fail-on", "never", "--max-cost", "0", "--provider", "local"], 0),
    ] {
        let mut args = vec!["plan", "--base", "HEAD"];
        if !more.contains(&"--provider") {
            args.extend(["--provider", "pixverse"]);
        }
        args.extend(more);
        let ran = folder.run(&args);
        assert_eq!(ran.code, code, "{more:?}: {}", ran.err);
        if more.contains(&"100") {
            assert_eq!(ran.err, "onepath: 5 credits (pixverse) is more than --max-cost $100.00\n");
        }
    }
}

#[test]
fn nodes_are_added_removed_moved_renamed_and_edited() {
    let folder = Folder::new();
    let mut edited = node("edited", "five");
    folder.write(
        "a.json",
        &scene(&[
            node("gone", "one"),
            node("leaves", "two"),
            node("old-name", "three"),
            edited.clone(),
        ]),
    );
    folder.write("whole.json", &scene(&[node("with-file", "six")]));
    commit(&folder);
    edited["config"]["fallback"] = json!({ "mode": "placeholder" });
    folder.write(
        "a.json",
        &scene(&[node("new-name", "three"), edited, node("new", "four"), node("copy", "one")]),
    );
    folder.write("b.json", &scene(&[node("leaves", "two")]));
    std::fs::rename(folder.path().join("whole.json"), folder.path().join("other.json")).unwrap();
    let (plan, ran) = plan(&folder, &["--provider", "local"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        told(&plan),
        [
            "moved a.json#new-name",
            "edited a.json#edited",
            "added a.json#new",
            // It has the key of the one that is gone: the same node by another name.
            "moved a.json#copy",
            "moved b.json#leaves",
            "moved other.json#with-file",
        ]
    );
    assert_eq!(plan["nodes"][0]["base"]["name"], "old-name");
    assert_eq!(plan["nodes"][1]["differences"][0]["pointer"], "/fallback/mode");
    assert_eq!(plan["nodes"][1]["differences"][0]["changes_key"], false);
    assert_eq!(plan["invalidated"], json!([]));
    assert_eq!(plan["totals"][0]["results"], 1);
}

#[test]
fn a_moved_file_whose_node_changed_is_the_same_node() {
    let folder = Folder::new();
    folder.write("old.json", &scene(&[node("lamp", "a lamp")]));
    commit(&folder);
    std::fs::remove_file(folder.path().join("old.json")).unwrap();
    folder.write("new.json", &scene(&[node("lamp", "a brass lamp")]));
    let (plan, _) = plan(&folder, &["--provider", "local"]);
    assert_eq!(told(&plan), ["changed new.json#lamp"]);
    assert_eq!(plan["nodes"][0]["base"]["file"], "old.json");
}

#[test]
fn one_result_for_several_nodes_is_made_and_paid_once() {
    let folder = Folder::new();
    folder.write("a.json", &scene(&[node("one", "first"), node("two", "second")]));
    commit(&folder);
    folder.write(
        "a.json",
        &scene(&[node("one", "second"), node("two", "third"), node("three", "third")]),
    );
    let (plan, _) = plan(&folder, &["--provider", "pixverse"]);
    let results: Vec<&Value> =
        plan["nodes"].as_array().unwrap().iter().map(|node| &node["result"]).collect();
    // `one` now asks for what `two` had; `three` for what `two` asks for.
    assert_eq!(results, ["exists", "make", "shared"]);
    assert_eq!(plan["totals"][0]["credits"], 5);
    assert_eq!(plan["invalidated"].as_array().unwrap().len(), 1);
}

fn templated(id: &str) -> Value {
    let mut node = node(id, "");
    let config = node["config"].as_object_mut().unwrap();
    config.remove("prompt");
    config.insert("templateId".to_owned(), json!("harbor"));
    node
}

fn template(version: &str, text: &str) -> String {
    json!({ "harbor": { "versionId": version, "text": text } }).to_string()
}

#[test]
fn a_template_a_world_and_an_npc_that_change_many_nodes_are_named_as_causes() {
    let folder = Folder::new();
    let flirt = |id: &str| {
        let mut node = node(id, "two at the rail");
        node["config"]["socialContext"] =
            json!({ "contentRating": "romantic", "intimacyBand": "light" });
        node
    };
    let npc = json!({ "id": "laughs", "config": {
        "generationType": "npc_response", "purpose": "variation", "strategy": "once",
        "prompt": "she laughs",
        "seedSource": "fixed", "seed": 1, "fallback": { "mode": "skip" },
    }, "options": { "npcIds": ["noor"] } });
    folder.write(
        "scenes/a.json",
        &scene(&[templated("one"), templated("two"), flirt("rail"), npc, node("calm", "x")]),
    );
    folder.write("prompts.json", &template("harbor-1", "the quay"));
    folder.write(
        "world.json",
        &json!({ "meta": { "generation": { "maxContentRating": "romantic" } } }).to_string(),
    );
    folder.write("npcs.json", &json!([{ "id": "noor", "baseImage": "asset:noor", "expression": "smiles" }, { "id": "bram" }]).to_string());
    commit(&folder);
    folder.write("prompts.json", &template("harbor-2", "the wet quay"));
    folder.write(
        "world.json",
        &json!({ "meta": { "generation": { "maxContentRating": "sfw" } } }).to_string(),
    );
    folder.write("npcs.json", &json!([{ "id": "noor", "baseImage": "asset:noor", "expression": "laughs" }, { "id": "bram" }]).to_string());
    let context = [
        "--provider",
        "local",
        "--prompts",
        "prompts.json",
        "--world",
        "world.json",
        "--npcs",
        "npcs.json",
        "scenes",
    ];
    let (plan, _) = plan(&folder, &context);
    assert_eq!(
        told(&plan),
        ["one", "two", "rail", "laughs"].map(|name| format!("changed scenes/a.json#{name}"))
    );
    assert_eq!(
        plan["causes"],
        json!([
            { "part": "templates", "file": "prompts.json", "subjects": ["harbor"],
              "base_version": "harbor-1", "head_version": "harbor-2",
              "nodes": ["scenes/a.json#one", "scenes/a.json#two"] },
            { "part": "world", "file": "world.json", "subjects": [], "nodes": ["scenes/a.json#rail"] },
            { "part": "npcs", "file": "npcs.json", "subjects": ["noor"],
              "nodes": ["scenes/a.json#laughs"] },
        ])
    );
    let fields: Vec<&Value> = plan["nodes"][2]["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["pointer"])
        .collect();
    assert_eq!(fields[..2], ["/social_context/intimacyBand", "/social_context/contentRating"]);
    // Markdown names them too.
    let mut args = vec!["plan", "--base", "HEAD", "--output-format", "markdown"];
    args.extend(context);
    let ran = folder.run(&args);
    assert!(
        ran.out.starts_with("<!-- onepath plan -->\n### onepath: 3 results to make\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains(
            "`prompts.json`: template `harbor` (`harbor-1` -> `harbor-2`) changes 2 nodes"
        ),
        "{}",
        ran.out
    );

    // The same version with another text is said aloud.
    folder.write("prompts.json", &template("harbor-1", "the wet quay"));
    let mut args = vec!["plan", "--base", "HEAD"];
    args.extend(context);
    let ran = folder.run(&args);
    assert!(ran.out.contains("(another text under the same version `harbor-1`)"), "{}", ran.out);
}

#[test]
fn parts_of_the_scene_file_itself_are_causes_too() {
    let folder = Folder::new();
    let file = |mood: &str, level: &str| {
        json!({
            "world": { "meta": { "generation": { "maxContentRating": "restricted" } } },
            "user": { "id": "u", "maxContentRating": "restricted" },
            "session": { "id": "p", "user_id": "u", "stats": { "relationships": { "npc:noor": {
                "intimacyLevelId": level } } } },
            "scenes": [{ "id": "quay", "mood": mood }],
            "nodes": [
                { "id": "walk", "toScene": "quay", "config": node("x", "a walk")["config"] },
                { "id": "talk", "config": { "generationType": "dialogue", "purpose": "adaptive",
                    "strategy": "once", "seedSource": "fixed", "seed": 1, "prompt": "hello",
                    "fallback": { "mode": "skip" } }, "options": { "npcIds": ["noor"] } },
                { "id": "still", "config": node("x", "a stone")["config"] },
            ],
        })
        .to_string()
    };
    folder.write("a.json", &file("calm", "light_flirt"));
    commit(&folder);
    folder.write("a.json", &file("wild", "deep_flirt"));
    let (plan, _) = plan(&folder, &["--provider", "local"]);
    assert_eq!(told(&plan), ["changed a.json#walk", "changed a.json#talk"]);
    assert_eq!(
        plan["causes"],
        json!([
            { "part": "scene", "file": "a.json", "subjects": ["quay"], "nodes": ["a.json#walk"] },
            { "part": "session", "file": "a.json", "subjects": [], "nodes": ["a.json#talk"] },
        ])
    );
}

#[test]
fn an_edge_that_leads_elsewhere_is_its_own_cause() {
    let folder = Folder::new();
    let file = |to: &str| {
        json!({
            "scenes": [{ "id": "quay", "mood": "calm" }, { "id": "deck", "mood": "wild" }],
            "nodes": [{ "id": "walk", "toScene": to, "config": node("x", "a walk")["config"] }],
        })
        .to_string()
    };
    folder.write("a.json", &file("quay"));
    commit(&folder);
    folder.write("a.json", &file("deck"));
    let (plan, _) = plan(&folder, &["--provider", "local"]);
    assert_eq!(
        plan["nodes"][0]["causes"],
        json!([{ "part": "node", "file": "a.json", "subjects": [] }])
    );
    assert_eq!(plan["causes"], json!([]));
}

#[test]
fn ids_that_nobody_gave_stand_for_anyone() {
    let folder = Folder::new();
    let mut own = node("own", "x");
    own["config"]["strategy"] = json!("per_playthrough");
    let mut clock = node("clock", "y");
    clock["config"]["strategy"] = json!("always");
    clock["config"]["seedSource"] = json!("timestamp");
    clock["config"].as_object_mut().unwrap().remove("seed");
    folder.write("a.json", &scene(&[own.clone(), clock.clone()]));
    commit(&folder);
    let (same, ran) = plan(&folder, &["--provider", "local"]);
    assert_eq!((ran.code, &same["counts"]["unchanged"]), (0, &json!(2)));
    own["config"]["prompt"] = json!("z");
    folder.write("a.json", &scene(&[own, clock]));
    let (plan, _) = plan(&folder, &["--provider", "local"]);
    let key = plan["nodes"][0]["head"]["cache_key"].as_str().unwrap();
    assert!(key.contains("|per_playthrough|pt:*|"), "{key}");
}

#[test]
fn lines_and_lists_without_names_are_known_by_what_they_say() {
    let folder = Folder::new();
    let config = |prompt: &str| node("x", prompt)["config"].to_string();
    let file =
        |prompts: &[&str]| prompts.iter().map(|prompt| config(prompt) + "\n").collect::<String>();
    folder.write("a.jsonl", &file(&["one", "two", "three"]));
    commit(&folder);
    // A line in front moves all others; the last one changes.
    folder.write("a.jsonl", &file(&["zero", "one", "two", "four"]));
    let (plan, _) = plan(&folder, &["--provider", "local"]);
    let mut told = told(&plan);
    told.sort();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(plan["counts"]["unchanged"], 2);
    assert_eq!(plan["totals"][0]["results"], 2);
    assert_eq!(plan["invalidated"].as_array().unwrap().len(), 1);
}

#[test]
fn a_node_that_can_no_longer_be_built_is_refused_with_its_finding() {
    let folder = Folder::new();
    folder.write("a.json", &scene(&[node("lamp", "a lamp"), node("broken", "{{ who }}")]));
    commit(&folder);
    folder.write("a.json", &scene(&[node("lamp", "{{ lamp }}"), node("broken", "{{ who }}")]));
    let (plan, ran) = plan(&folder, &["--provider", "local", "--fail-on", "refused"]);
    assert_eq!(ran.code, 1);
    assert_eq!(told(&plan), ["refused a.json#lamp"]);
    let finding = &plan["nodes"][0]["head"]["findings"][0];
    assert_eq!(finding["code"], "prompt/unknown-variable");
    assert_eq!(finding["pointer"], "/nodes/0/config/prompt");
    assert_eq!(plan["counts"]["still_refused"], 1);
    let text = folder.run(&["plan", "--base", "HEAD", "--provider", "local"]).out;
    assert!(text.contains("error[prompt/unknown-variable]"), "{text}");
    assert!(text.contains("refused before and now: 1 node"), "{text}");
}

#[test]
fn without_a_provider_it_still_says_what_changed() {
    let folder = Folder::new();
    folder.write("a.json", &scene(&[node("lamp", "a lamp"), node("gull", "a gull")]));
    commit(&folder);
    folder.write("a.json", &scene(&[node("lamp", "a brass lamp"), node("gull", "a gull")]));
    let (plan, _) = plan(&folder, &[]);
    assert_eq!(told(&plan), ["changed a.json#lamp"]);
    assert_eq!(plan["totals"][0]["unknown"], json!(["a.json#lamp"]));
    assert_eq!(
        plan["notes"][0],
        "no provider is named, so keys and prices are not known: --provider"
    );
}

#[test]
fn a_context_file_that_is_new_ignored_or_outside_is_taken_as_git_sees_it() {
    let outside = Folder::new();
    outside.write("prompts.json", &template("o-1", "from outside"));
    let folder = Folder::new();
    folder.write("a.json", &scene(&[templated("one")]));
    folder.write(".gitignore", "made.json\n");
    commit(&folder);
    folder.write("made.json", &template("m-1", "made by a tool"));
    folder.write("new.json", &template("n-1", "new"));
    let outside = outside.path().join("prompts.json");
    let unchanged = |prompts: &str| {
        let (plan, _) = plan(&folder, &["--provider", "local", "--prompts", prompts, "a.json"]);
        plan["counts"]["unchanged"] == 1
    };
    assert!(unchanged("made.json"));
    assert!(unchanged(outside.to_str().unwrap()));
    let (plan, _) = plan(&folder, &["--provider", "local", "--prompts", "new.json", "a.json"]);
    assert_eq!(told(&plan), ["changed a.json#one"]);
    assert_eq!(plan["causes"][0]["head_version"], "n-1");
    assert!(plan["notes"][0].as_str().unwrap().starts_with("new.json is not there at "));
}

#[test]
fn files_are_chosen_as_everywhere_from_any_folder_and_untracked_ones_count() {
    let folder = Folder::new();
    folder.write("game/scenes/a.json", &scene(&[node("a", "a")]));
    folder.write("game/scenes/.hidden/h.json", &scene(&[node("h", "h")]));
    folder.write("other/b.json", &scene(&[node("b", "b")]));
    folder.write("package.json", r#"{"name": "game"}"#);
    folder.write(".gitignore", "built\n");
    commit(&folder);
    folder.write("game/scenes/new.json", &scene(&[node("new", "new")]));
    folder.write("built/c.json", &scene(&[node("c", "c")]));
    let counts = |folder: &Folder, args: &[&str]| {
        let (plan, _) = plan(folder, args);
        (plan["counts"]["base"].as_u64().unwrap(), plan["counts"]["head"].as_u64().unwrap())
    };
    assert_eq!(counts(&folder, &[]), (2, 3));
    assert_eq!(counts(&folder, &["game"]), (1, 2));
    assert_eq!(counts(&folder, &["game/scenes/*.json"]), (1, 2));
    assert_eq!(counts(&folder, &["**/b.json"]), (1, 1));
    assert_eq!(counts(&folder, &["built/c.json"]), (0, 1));
    assert_eq!(counts(&folder, &["game", "game/scenes/a.json"]), (1, 2));
    let below = folder.run_below("game/scenes", &["plan", "--base", "HEAD", "../../other"]);
    assert!(below.out.ends_with(": 1 unchanged\n"), "{below:?}");
    for (args, message) in [
        (
            &["plan", "--base", "HEAD", "nowhere"][..],
            "`nowhere` names no file, neither before nor now",
        ),
        (&["plan", "--base", "HEAD", "/"], "`/` lies outside of the repository"),
        (&["plan", "--base", "HEAD", "-"], "standard input has no past: name files or folders"),
        (&["plan", "--base", "nothing"], "`nothing` is no commit of this repository"),
        (&["plan", "--base=--all"], "`--all` is no commit of this repository"),
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.err), (2, format!("onepath: {message}\n")), "{args:?}");
    }
}

#[test]
fn two_commits_are_compared_and_the_place_where_work_went_apart_is_found() {
    let folder = Folder::new();
    folder.write("a.json", &scene(&[node("a", "one")]));
    commit(&folder);
    git(folder.path(), &["branch", "work"]);
    folder.write("a.json", &scene(&[node("a", "two")]));
    commit(&folder);
    git(folder.path(), &["checkout", "--quiet", "work"]);
    folder.write("b.json", &scene(&[node("b", "b")]));
    commit(&folder);
    let run = |args: &[&str]| {
        let ran = folder
            .run(&[&["plan", "--provider", "local", "--output-format", "json"], args].concat());
        let plan: Value = serde_json::from_str(&ran.out).unwrap();
        told(&plan)
    };
    assert_eq!(run(&["--base", "main"]), ["changed a.json#a", "added b.json#b"]);
    assert_eq!(run(&["--base", "main", "--merge-base"]), ["added b.json#b"]);
    assert_eq!(
        run(&["--base", "work", "--head", "main"]),
        ["changed a.json#a", "removed b.json#b"]
    );
}

#[test]
fn a_shallow_clone_says_how_to_get_what_it_lacks() {
    let folder = Folder::new();
    folder.write("a.json", &scene(&[node("a", "one")]));
    let first = commit(&folder);
    folder.write("a.json", &scene(&[node("a", "two")]));
    commit(&folder);
    let clone = Folder::new();
    let from = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth=1", &from, "game"]);
    let ran = clone.run_below("game", &["plan", "--base", &first, "--provider", "local"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("is no commit of this repository: this is a shallow clone"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("git fetch --unshallow origin"), "{}", ran.err);
    let ran = clone.run_below("game", &["plan", "--base", "origin/release~1"]);
    assert!(ran.err.contains("git fetch --depth=1 origin release`"), "{}", ran.err);
    // With the commit there, even a shallow clone compares.
    git(&clone.path().join("game"), &["fetch", "--quiet", "--depth=1", "origin", &first]);
    let ran = clone.run_below("game", &["plan", "--base", &first, "--provider", "local"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("1 changed"), "{}", ran.out);
}

#[test]
fn outside_of_a_repository_git_says_so() {
    let folder = Folder::new();
    folder.write("a.json", &scene(&[node("a", "one")]));
    let ran = folder.run(&["plan", "--base", "HEAD"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("onepath: git: not a git repository"), "{}", ran.err);
}

#[test]
fn a_comment_stays_below_what_github_takes() {
    let folder = Folder::new();
    let nodes = |word: &str| -> Vec<Value> {
        (0..600)
            .map(|at| node(&format!("node-{at}"), &format!("{word} {at} {}", "x".repeat(300))))
            .collect()
    };
    folder.write("a.json", &scene(&nodes("before")));
    commit(&folder);
    folder.write("a.json", &scene(&nodes("after")));
    let ran = folder.run(&[
        "plan",
        "--base",
        "HEAD",
        "--provider",
        "local",
        "--output-format",
        "markdown",
    ]);
    assert!(ran.out.len() < 65_536, "{}", ran.out.len());
    assert!(ran.out.contains("600 results to make"), "{}", ran.out);
    assert!(ran.out.contains("nodes are left out here"), "{}", ran.out);
}
