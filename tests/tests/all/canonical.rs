//! Canonical text against RFC 8785: its vectors, its number file, and published implementations.

use onepath_core::{canonicalize, render_prompt};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The vectors published beside RFC 8785.
#[test]
fn vectors_of_the_rfc() {
    for (input, output) in [
        (
            "[\n  56,\n  {\n    \"d\": true,\n    \"10\": null,\n    \"1\": [ ]\n  }\n]",
            r#"[56,{"1":[],"10":null,"d":true}]"#,
        ),
        (
            r#"{"peach": "This sorting order", "péché": "is wrong according to French", "pêche": "but canonicalization MUST", "sin": "ignore locale"}"#,
            r#"{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}"#,
        ),
        (
            r#"{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ { } ], "A": { }}"#,
            r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}"#,
        ),
        (r#"{"Unnormalized Unicode":"A\u030a"}"#, "{\"Unnormalized Unicode\":\"A\u{30a}\"}"),
        (
            r#"{"numbers": [1E30, 4.50, 333333333.33333329, 2e-3, 0.000000000000000000000000001], "escaping": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#,
            r#"{"escaping":"€$\u000f\nA'B\"\\\\\"/","literals":[null,true,false],"numbers":[1e+30,4.5,333333333.3333333,0.002,1e-27]}"#,
        ),
        (
            r#"{"\u20ac": "Euro Sign", "1": "One", "\u0080": "Control\u007f", "\ud83d\ude02": "Smiley", "\u00f6": "Latin Small Letter O With Diaeresis", "\ufb33": "Hebrew Letter Dalet With Dagesh", "</script>": "Browser Challenge"}"#,
            "{\"1\":\"One\",\"</script>\":\"Browser Challenge\",\"\u{80}\":\"Control\u{7f}\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😂\":\"Smiley\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        ),
    ] {
        assert_eq!(canonicalize(input).unwrap(), output);
    }
}

/// The numbers of the published file: edge cases, 2,000 of the smallest normal ones, then a chain
/// of SHA-256 blocks.
struct Numbers {
    listed: std::vec::IntoIter<u64>,
    serial: std::ops::Range<u64>,
    block: [u8; 32],
    at: usize,
}

impl Numbers {
    fn new() -> Self {
        let path = onepath_tests::vectors().join("es6_numbers.txt");
        let text = std::fs::read_to_string(path).unwrap();
        let listed: Vec<u64> =
            text.split_whitespace().map(|hex| u64::from_str_radix(hex, 16).unwrap()).collect();
        let first = 0x0010_0000_0000_0000;
        Self { listed: listed.into_iter(), serial: first..first + 2000, block: [0; 32], at: 32 }
    }
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if let Some(bits) = self.listed.next().or_else(|| self.serial.next()) {
            return Some(bits);
        }
        loop {
            if self.at == 32 {
                self.block = Sha256::digest(self.block).into();
                self.at = 0;
            }
            let bits = u64::from_le_bytes(self.block[self.at..self.at + 8].try_into().unwrap());
            self.at += 8;
            let number = f64::from_bits(bits);
            if number != 0.0 && number.is_finite() {
                return Some(bits);
            }
        }
    }
}

/// The published checksums of the first lines of the file: `hex,text` a line. Reading the shortest
/// text back must give the same double, so reading is proven too.
#[test]
fn the_number_file() {
    let mut hash = Sha256::new();
    for (index, bits) in Numbers::new().take(100_000).enumerate() {
        let number = f64::from_bits(bits);
        let text = canonicalize(&format!("{number:e}")).unwrap();
        assert_eq!(text.parse::<f64>().unwrap().to_bits(), if number == 0.0 { 0 } else { bits });
        hash.update(format!("{bits:x},{text}\n"));
        let expected = match index + 1 {
            1_000 => "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687",
            10_000 => "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892",
            100_000 => "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7",
            _ => continue,
        };
        let found: String =
            hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected, "{} lines", index + 1);
    }
}

/// Any JSON, with names and numbers that tell canonicalizers apart.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9_]{0,6}",
        Just("\u{fb33}".to_owned()),
        Just("\u{1f600}".to_owned()),
        Just("\u{2028}\u{7f}\u{1}\"\\/".to_owned()),
    ];
    let number = prop_oneof![
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
        any::<i32>().prop_map(f64::from),
        (any::<i32>(), 0..4_u32)
            .prop_map(|(whole, digits)| f64::from(whole) / f64::from(10_u32.pow(digits))),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number.prop_map(|number| json!(number)),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(text.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_published_canonicalizer_agrees(value in any_json()) {
        let ours = canonicalize(&value.to_string()).unwrap();
        prop_assert_eq!(&ours, &serde_json_canonicalizer::to_string(&value).unwrap());
        // Canonical text is a fixed point, and white space changes nothing.
        prop_assert_eq!(&canonicalize(&ours).unwrap(), &ours);
        prop_assert_eq!(&canonicalize(&serde_json::to_string_pretty(&value).unwrap()).unwrap(), &ours);
    }

    #[test]
    fn reading_agrees_with_serde_json(text in "[\\[\\]{}:,\"\\\\ntrueflsd0-9.eE+\\- ]{0,24}") {
        let oracle = serde_json::from_str::<Value>(&text);
        match canonicalize(&text) {
            Ok(canonical) => prop_assert_eq!(&canonical, &serde_json_canonicalizer::to_string(&oracle.unwrap()).unwrap()),
            Err(refusal) => {
                // Beyond syntax we refuse repeated members, halves of pairs, numbers beyond a double.
                let syntax = refusal.findings().iter().any(|finding| finding.code().slug() == "json/syntax");
                prop_assert_eq!(syntax, oracle.is_err(), "{}: {:?}", text, refusal);
            }
        }
    }

    #[test]
    fn rendering_never_expands_a_value(value in "[a-z{} ]{0,12}", before in "[a-z ]{0,6}") {
        let mut variables = onepath_core::Map::new();
        variables.insert("v", value.clone());
        variables.insert("a", "wrong");
        prop_assert_eq!(render_prompt(&format!("{before}{{{{ v }}}}"), &variables).unwrap(), format!("{before}{value}"));
    }
}
