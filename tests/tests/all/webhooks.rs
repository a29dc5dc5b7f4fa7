//! Signatures of webhooks: the vectors that the JavaScript side shares.

use onepath_client::webhook::{Headers, Refused, Secret, TOLERANCE, sign, verify};
use serde_json::Value;

fn cases() -> Vec<Value> {
    let file = onepath_tests::vectors().join("webhooks.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The word that the vectors have for an outcome.
fn word(outcome: Result<(), Refused>) -> &'static str {
    match outcome {
        Ok(()) => "ok",
        Err(Refused::Missing(_)) => "missing_header",
        Err(Refused::BadId) => "bad_id",
        Err(Refused::BadTimestamp) => "bad_timestamp",
        Err(Refused::TooOld) => "too_old",
        Err(Refused::TooNew) => "too_new",
        Err(Refused::NoMatch) => "no_match",
    }
}

#[test]
fn the_vectors_hold_and_what_holds_is_what_we_sign() {
    let cases = cases();
    assert!(cases.len() > 30);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let secrets: Vec<Secret> = case["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|secret| Secret::parse(secret.as_str().unwrap()).unwrap())
            .collect();
        let (id, timestamp) = (text("id"), text("timestamp"));
        let (body, signature) = (text("body").as_bytes(), text("signature"));
        let headers = Headers { id, timestamp, signature };
        let now = case["now"].as_i64().unwrap();
        let outcome = verify(&secrets, headers, body, now, TOLERANCE);
        assert_eq!(word(outcome), text("expect"), "{}", text("name"));
        if outcome.is_ok() {
            let ours = sign(&secrets, id, timestamp.parse().unwrap(), body);
            let theirs = signature.rsplit(' ').next().unwrap();
            assert!(ours.split(' ').any(|one| one == theirs), "{}", text("name"));
        }
    }
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let secret = Secret::of([7; 32]);
    let body = br#"{"type":"generation.completed"}"#.to_vec();
    let signature = sign([&secret], "msg_1", 1_700_000_000, &body);
    let holds = |signature: &str, body: &[u8]| {
        let headers = Headers { id: "msg_1", timestamp: "1700000000", signature };
        verify([&secret], headers, body, 1_700_000_000, TOLERANCE).is_ok()
    };
    assert!(holds(&signature, &body));
    for bit in 0..body.len() * 8 {
        let mut forged = body.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(!holds(&signature, &forged), "bit {bit}");
    }
    // The last character of 32 bytes in base64 carries bits that say nothing: those are refused too.
    for at in "v1,".len()..signature.len() - 1 {
        for other in ["A", "z", "+"] {
            let mut forged = signature.clone();
            forged.replace_range(at..=at, other);
            assert_eq!(holds(&forged, &body), forged == signature, "{forged}");
        }
    }
}

#[test]
fn a_secret_is_read_as_it_is_written_and_told_to_nobody() {
    let secret = Secret::of([9; 32]);
    assert_eq!(Secret::parse(&secret.expose()), Ok(secret.clone()));
    assert_eq!(format!("{secret:?}"), "Secret");
    for bad in ["", "whsec_", "whsec_AAAA", "whsec_!", &format!("whsec_{}", "A".repeat(400))] {
        let error = Secret::parse(bad).unwrap_err().to_string();
        assert!(error.contains("whsec_") && !error.contains("AAAA"), "{error}");
    }
}

#[test]
fn headers_are_found_by_their_names() {
    let all = [("webhook-id", "msg_1"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,")];
    let find = |all: &[(&'static str, &'static str)]| {
        let all = all.to_vec();
        Headers::find(move |name| all.iter().find(|(known, _)| *known == name).map(|one| one.1))
    };
    assert_eq!(find(&all).unwrap().id, "msg_1");
    assert_eq!(find(&all[1..]), Err(Refused::Missing("webhook-id")));
    assert_eq!(find(&all[..2]), Err(Refused::Missing("webhook-signature")));
}
