//! What must hold for the plan between any two trees; the trees are made of the golden vectors.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use onepath_core::schema::{Draft, schemas};
use onepath_core::{BuildOptions, Plan, PlanChange, PlanDocument, PlanResult, plan, read_document};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Nodes with everything they need, as texts.
fn nodes() -> &'static [String] {
    static NODES: OnceLock<Vec<String>> = OnceLock::new();
    NODES.get_or_init(|| {
        let text = std::fs::read_to_string(onepath_tests::vectors().join("v1.jsonl")).unwrap();
        let nodes: Vec<String> = text
            .lines()
            .enumerate()
            .filter_map(|(number, line)| {
                let line: Value = serde_json::from_str(line).unwrap();
                let config = line["input"]["config"].as_object()?;
                let options = line["input"].get("options").cloned().unwrap_or(json!({}));
                let id = format!("node-{number}");
                Some(json!({ "id": id, "config": config, "options": options }).to_string())
            })
            .collect();
        assert!(nodes.len() > 200, "{}", nodes.len());
        nodes
    })
}

/// A tree: which of the nodes stand in which of a few files.
type Tree = Vec<(usize, u8)>;

fn documents(tree: &Tree) -> Vec<PlanDocument<'static>> {
    let read = |(node, file): &(usize, u8)| PlanDocument {
        file: format!("{file}.jsonl"),
        place: None,
        document: read_document(&nodes()[*node], &BuildOptions::default()),
    };
    tree.iter().map(read).collect()
}

fn planned(base: &Tree, head: &Tree) -> Plan {
    plan(&documents(base), &documents(head), &[], None)
}

fn tree() -> impl Strategy<Value = Tree> {
    prop::collection::vec((0..nodes().len(), 0..3_u8), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_tree_has_no_plan_to_itself(tree in tree()) {
        let plan = planned(&tree, &tree);
        prop_assert_eq!(&plan.nodes, &vec![]);
        prop_assert_eq!(plan.counts.unchanged, tree.len());
        prop_assert!(!plan.changes_keys());
        prop_assert!(plan.totals.is_empty() && plan.invalidated.is_empty());
    }

    #[test]
    fn every_node_is_counted_and_every_result_is_made_once(base in tree(), head in tree()) {
        let plan = planned(&base, &head);
        let counts = plan.counts;
        let stayed = counts.unchanged + counts.changed + counts.moved + counts.edited;
        let refused = |before: bool| {
            let refused = plan.nodes.iter().filter(|node| node.change == PlanChange::Refused);
            refused.filter(|node| node.base.is_some() == before).count()
        };
        prop_assert_eq!(counts.head, stayed + counts.added + counts.refused);
        prop_assert_eq!(counts.base, stayed + counts.removed + refused(true));
        prop_assert_eq!(refused(true) + refused(false), counts.refused);
        // From nothing, each result that a tree asks for is made once.
        let results = |tree: &Tree| -> BTreeSet<String> {
            let nothing = planned(&Vec::new(), tree);
            let made = nothing.nodes.iter().filter(|node| node.result == Some(PlanResult::Make));
            made.filter_map(|node| {
                let head = node.head.as_ref()?;
                head.cache_key.clone().or_else(|| head.request_hash.clone())
            }).collect()
        };
        let (before, after) = (results(&base), results(&head));
        let made: Vec<String> = plan.nodes.iter()
            .filter(|node| node.result == Some(PlanResult::Make))
            .filter_map(|node| {
                let head = node.head.as_ref()?;
                head.cache_key.clone().or_else(|| head.request_hash.clone())
            })
            .collect();
        let distinct: BTreeSet<String> = made.iter().cloned().collect();
        prop_assert_eq!(distinct.len(), made.len());
        prop_assert_eq!(distinct, after.difference(&before).cloned().collect::<BTreeSet<_>>());
        let lost: BTreeSet<String> =
            plan.invalidated.iter().map(|one| one.cache_key.clone()).collect();
        prop_assert!(lost.iter().all(|key| before.contains(key) && !after.contains(key)));
        let results: usize = plan.totals.iter().map(|total| total.results).sum();
        let all = plan.nodes.iter().filter(|node| node.result == Some(PlanResult::Make)).count();
        prop_assert_eq!(results, all);
    }

    #[test]
    fn a_plan_is_what_its_schema_says(base in tree(), head in tree()) {
        static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
        let validator = SCHEMA.get_or_init(|| {
            let all = schemas(Draft::Draft202012);
            let published = all.iter().find(|published| published.name == "Plan").unwrap();
            jsonschema::draft202012::new(&published.schema).unwrap()
        });
        let value = serde_json::to_value(planned(&base, &head)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| error.to_string()).collect();
        prop_assert!(errors.is_empty(), "{:?}", errors);
    }
}
