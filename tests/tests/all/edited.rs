//! An edited document gives the answers of a new one with its text, whatever is edited.

use onepath_core::{BuildOptions, EditedDocument, EditedText, check, read_document, to_json};
use serde_json::{Value, json};

/// Numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn of<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }
}

/// Every pointer of a value.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(value, &format!("{at}/{name}"), out);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
}

fn documents() -> Vec<Value> {
    let root = format!("{}/..", env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).unwrap();
    let mut out: Vec<Value> = ["harbor", "lighthouse"]
        .map(|name| serde_json::from_str(&read(&format!("examples/scenes/{name}.json"))).unwrap())
        .into();
    for line in read("bench/payload/path.jsonl").lines().take(3) {
        out.push(serde_json::from_str(line).unwrap());
    }
    for line in read("tests/vectors/v1.jsonl").lines().step_by(12) {
        let case: Value = serde_json::from_str(line).unwrap();
        let (config, options) = (&case["input"]["config"], &case["input"]["options"]);
        if config.is_object() {
            out.push(json!({ "id": "n", "config": config, "options": options }));
            out.push(config.clone());
        }
    }
    out
}

fn values() -> Vec<Value> {
    let words = [
        "",
        " ",
        "slow",
        "fast",
        "once",
        "always",
        "per_player",
        "R",
        "G",
        "sfw",
        "restricted",
        "intense",
        "dialogue",
        "npc_response",
        "image_edit",
        "fusion",
        "ambient",
        "gap_fill",
        "retry",
        "default_content",
        "fixed",
        "player",
        "{{ name }}",
        "{{",
        "asset:1",
        "https://x/?sig=1",
        "a lighthouse\n\"ΟΔΟΣ\"",
        "pixverse",
        "local",
    ];
    let mut out: Vec<Value> = words.into_iter().map(Value::from).collect();
    for number in [-1.0, 0.0, 0.5, 1.0, 3.0, 5.25, 7.0, 400.0, 1e9, 1e300, 9_007_199_254_740_991.0]
    {
        out.push(json!(number));
    }
    out.extend([json!(4), json!(12), json!(null), json!(true), json!(false), json!([]), json!({})]);
    out.extend([
        json!(["a", "b"]),
        json!({ "min": 3, "target": 2 }),
        json!({ "contentRating": "sfw" }),
    ]);
    out
}

/// Whether a field was edited, and how often its findings were known to be the same.
#[derive(Default)]
struct Seen {
    fields: usize,
    same: usize,
    changed: usize,
}

fn agree(
    document: &mut EditedDocument,
    text: &EditedText,
    base: &BuildOptions<'_>,
    prints: bool,
) -> String {
    assert_eq!(document.text(), text.as_str());
    let fresh = check(text.as_str(), base);
    let findings = to_json(&document.report().findings()).unwrap();
    assert_eq!(findings, to_json(&fresh.findings()).unwrap(), "{}", text.as_str());
    let read = read_document(text.as_str(), base);
    assert_eq!(document.items().len(), read.items.len());
    for (index, item) in read.items.iter().enumerate() {
        assert_eq!(document.items()[index].config, item.config, "{}", text.as_str());
        let expected = read.prepare(item);
        let quick = document.prepare(index, false).unwrap();
        assert_eq!(quick.made, expected.made);
        // Not after every edit: a fingerprint that is kept also follows several.
        if prints {
            let print = document.fingerprint(index).unwrap();
            let refusals = print.as_ref().err().map(|refusal| to_json(&refusal.findings()));
            assert_eq!(print.ok(), expected.made.as_ref().map(|made| &made.1), "{}", text.as_str());
            let refused = expected.made.is_none().then(|| {
                to_json(&onepath_core::Refusal::from_report(expected.report.clone()).findings())
            });
            assert_eq!(refusals, refused);
        }
        let whole = to_json(&document.prepare(index, true).unwrap()).unwrap();
        assert_eq!(whole, to_json(&expected).unwrap());
    }
    findings
}

#[test]
fn every_answer_is_that_of_a_new_document() {
    let base_text = r#"{"user": {"id": 7, "maxContentRating": "romantic"}, "providerId": "local",
        "terms": {"flagged": ["οδος"], "blocked": ["fast"]}}"#;
    let base = onepath_core::decode::<BuildOptions<'_>>(base_text).into_result().unwrap();
    let (values, mut chance, mut seen) = (values(), Chance(7), Seen::default());
    for value in documents() {
        let mut document = EditedDocument::new(value.to_string(), base_text).unwrap();
        let mut text = EditedText::new(value.to_string());
        let mut all = Vec::new();
        pointers(&value, "", &mut all);
        // Plain values are what is edited most.
        let plain: Vec<String> = all
            .iter()
            .filter(|pointer| {
                value.pointer(pointer).is_some_and(|at| !at.is_object() && !at.is_array())
            })
            .cloned()
            .collect();
        let mut pointer = chance.of(&all).clone();
        let mut before = (document.state(), agree(&mut document, &text, &base, true));
        for _ in 0..40 {
            // Several edits of one field, as of a slider, are what is usual.
            if chance.below(3) == 0 {
                let from = if chance.below(6) == 0 { &all } else { &plain };
                pointer.clone_from(chance.of(from));
            }
            // Faults of reading are taken back mostly: they stand in the way of everything else.
            let faulty = !document.faults().is_empty() && chance.below(6) > 0;
            match if faulty { 0 } else { chance.below(16) } {
                0 => assert_eq!(document.undo(), text.undo()),
                1 => assert_eq!(document.redo(), text.redo()),
                2 => assert_eq!(document.remove(&pointer), text.remove(&pointer)),
                _ => {
                    let was = value.pointer(&pointer).cloned().unwrap_or_default();
                    let same: Vec<Value> = values
                        .iter()
                        .filter(|value| {
                            std::mem::discriminant(*value) == std::mem::discriminant(&was)
                        })
                        .cloned()
                        .collect();
                    let from = if chance.below(6) == 0 { &values } else { &same };
                    let value = chance.of(from);
                    let field = document.field(&pointer).zip(value.as_f64());
                    if field.is_some_and(|(field, number)| document.set_number(field, number)) {
                        seen.fields += 1;
                        text.set(&pointer, &to_json(value).unwrap()).unwrap();
                    } else {
                        let value = to_json(value).unwrap();
                        assert_eq!(document.set(&pointer, &value), text.set(&pointer, &value));
                        seen.fields += usize::from(document.field(&pointer).is_some());
                    }
                }
            }
            let state = document.state();
            let prints = chance.below(3) > 0;
            let now = (state, agree(&mut document, &text, &base, prints));
            if now.0 == before.0 {
                assert_eq!(now.1, before.1);
                seen.same += 1;
            } else {
                seen.changed += 1;
            }
            before = now;
        }
    }
    assert!(
        seen.fields > 500 && seen.same > 200 && seen.changed > 500,
        "{} {} {}",
        seen.fields,
        seen.same,
        seen.changed
    );
}
