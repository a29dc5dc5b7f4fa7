//! The cases computed from the contract by an independent hand: every byte.

use onepath_core::{BuildOptions, GenerationNodeConfig, build, decode, fingerprint};
use serde_json::{Value, json};

#[test]
fn contract_cases() {
    let cases = crate::json("contract_cases.json");
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 36);
    for case in cases {
        assert_eq!(answer(case), case["expect"], "case `{}`", case["name"]);
    }
}

fn answer(case: &Value) -> Value {
    let (config, options) = (case["config"].to_string(), case["options"].to_string());
    let config = decode::<GenerationNodeConfig>(&config);
    let options = decode::<BuildOptions>(&options);
    let faults: Vec<_> = config.faults.iter().chain(&options.faults).collect();
    let mut errors: Vec<&str> = faults.iter().map(|fault| fault.code().slug()).collect();
    let (config, options) = (config.value.unwrap(), options.value.unwrap());
    let built = if errors.is_empty() { Some(build(&config, &options)) } else { None };
    let mut out = json!({
        "identity": null, "canonical": null, "family_hash": null, "request_hash": null,
        "cache_key": null, "seed": null, "rating": null, "band": null, "level": null,
        "tier": null, "pending": [], "errors": [],
    });
    match &built {
        Some(Ok(request)) => {
            let provider = options.provider.as_ref();
            let print = fingerprint(request, provider).unwrap();
            out["rating"] = serde_json::to_value(print.rating).unwrap();
            out["pending"] = json!(print.pending);
            out["seed"] = json!(print.seed);
            out["cache_key"] = json!(print.cache_key);
            out["band"] = json!(print.band.effective.word());
            if let Some(hashes) = print.hashes {
                out["family_hash"] = json!(hashes.family.to_string());
                out["request_hash"] = json!(hashes.request.to_string());
            }
            if let Some(canonical) = print.canonical() {
                let identity: Value = serde_json::from_str(canonical).unwrap();
                out["canonical"] = json!(canonical);
                out["level"] = identity.get("level").cloned().unwrap_or_default();
                out["tier"] = identity.get("tier").cloned().unwrap_or_default();
                out["identity"] = identity;
            }
        }
        Some(Err(refusal)) => {
            errors.extend(refusal.findings().iter().map(|finding| finding.code().slug()));
        }
        None => {}
    }
    out["errors"] = json!(errors);
    out
}
