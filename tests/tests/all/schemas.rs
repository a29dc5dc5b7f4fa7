//! Schemas and readers agree; the judge here is the `jsonschema` crate, in the test command Ajv
//! judges the same corpus.

use std::collections::BTreeMap;

use jsonschema::Validator;
use onepath_core::schema::{Draft, schemas};
use onepath_tests::corpus;
use serde_json::{Value, json};

fn validators(draft: Draft) -> BTreeMap<&'static str, Validator> {
    let compile = |schema: &Value| match draft {
        Draft::Draft202012 => jsonschema::draft202012::new(schema).unwrap(),
        Draft::Draft07 => jsonschema::draft7::new(schema).unwrap(),
    };
    schemas(draft).iter().map(|published| (published.name, compile(&published.schema))).collect()
}

#[test]
fn schemas_and_readers_agree_on_a_corpus() {
    let documents = corpus::documents();
    let broken = documents.iter().filter(|document| !document.faults.is_empty()).count();
    assert!(
        documents.len() > 10_000 && broken > 3_000,
        "{} documents, {broken} broken",
        documents.len()
    );
    for draft in [Draft::Draft202012, Draft::Draft07] {
        let validators = validators(draft);
        let mut disagreements = Vec::new();
        for document in &documents {
            let valid = validators[document.kind].is_valid(&document.value);
            if valid != document.faults.is_empty() {
                disagreements.push(format!(
                    "{draft:?} {}: schema says {valid}, reader {:?}: {}",
                    document.kind, document.faults, document.value
                ));
            }
        }
        let count = disagreements.len();
        disagreements.truncate(12);
        assert!(count == 0, "{count} disagreements\n{}", disagreements.join("\n"));
    }
}

/// The listed differences, each shown once: what the reader takes or refuses beyond the schema.
#[test]
fn the_listed_differences_are_real() {
    let validators = validators(Draft::Draft202012);
    let config = &validators["GenerationNodeConfig"];
    let reader =
        |text: &str| onepath_core::decode::<onepath_core::GenerationNodeConfig>(text).faults;
    // The second spelling: taken by the reader only.
    let second = json!({ "generation_type": "dialogue" });
    assert!(!config.is_valid(&second) && reader(&second.to_string()).is_empty());
    // Repeated members: a schema judges after they are lost.
    assert_eq!(reader(r#"{"prompt": "a", "prompt": "b"}"#)[0].code().slug(), "json/duplicate-key");
    // Sizes.
    let large = json!({ "prompt": "x".repeat(100_001) });
    assert!(
        config.is_valid(&large) && reader(&large.to_string())[0].code().slug() == "json/too-large"
    );
}

#[test]
fn schemas_are_schemas() {
    for (draft, name) in [(Draft::Draft202012, "2020-12"), (Draft::Draft07, "draft-07")] {
        for published in schemas(draft) {
            let schema = &published.schema;
            assert!(schema["$schema"].as_str().unwrap().contains(name), "{}", published.name);
            assert!(jsonschema::meta::is_valid(schema), "{}", published.name);
            let text = schema.to_string();
            assert!(!text.contains("\"$ref\":\"#/$defs") || draft == Draft::Draft202012);
        }
    }
}

#[test]
fn what_the_path_writes_fits_its_schema() {
    let validators = validators(Draft::Draft202012);
    let text = std::fs::read_to_string(onepath_tests::vectors().join("v1.jsonl")).unwrap();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for (member, kind) in
            [("request", "GenerateContentRequest"), ("fingerprint", "Fingerprint")]
        {
            if let Some(value) = line.get(member) {
                let errors: Vec<String> =
                    validators[kind].iter_errors(value).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{}: {errors:?}", line["name"]);
            }
        }
    }
    let report = onepath_core::check(r#"{"promt": 1}"#, &onepath_core::BuildOptions::default());
    assert!(validators["Report"].is_valid(&serde_json::to_value(&report).unwrap()));
    for entry in std::fs::read_dir(onepath_tests::root().join("examples/scenes")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("scene-file.schema.json")
            && path.extension().is_some_and(|end| end == "json")
        {
            assert!(
                validators["SceneFile"].is_valid(&serde_json::from_str(&text).unwrap()),
                "{path:?}"
            );
        }
    }
}
