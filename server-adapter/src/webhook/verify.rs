//! Signatures of providers: pure functions over the bytes as they came, headers, secrets and a time.
//!
//! Everything fails closed: without a secret or a key nothing is believed.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use onepath_webhook::{Headers, Secret, TOLERANCE};
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use crate::clock::{hex, unhex};
use crate::provider::WebhookRefused;
use crate::store::Millis;

/// Verifies a webhook that is signed as Standard Webhooks says (Replicate does), and gives its id:
/// the same if it is sent again. While a secret is replaced, all that are valid are handed in.
///
/// # Errors
///
/// The signature does not hold, or the time is more than five minutes away.
pub fn standard<'h>(
    headers: &'h HeaderMap,
    body: &[u8],
    secrets: &[Secret],
    now: Millis,
) -> Result<&'h str, WebhookRefused> {
    use onepath_webhook::Refused;
    if secrets.is_empty() {
        return Err(WebhookRefused::NotSupported);
    }
    let forged = |refused| {
        WebhookRefused::Forged(match refused {
            Refused::Missing(_) => "a header is missing",
            Refused::BadId => "there is no id",
            Refused::BadTimestamp => "there is no time",
            Refused::TooOld => "it was sent too long ago",
            Refused::TooNew => "it was sent in the future",
            Refused::NoMatch => "no signature holds",
        })
    };
    let signed = Headers::find(|name| one(headers, name)).map_err(forged)?;
    onepath_webhook::verify(secrets, signed, body, now.div_euclid(1000), TOLERANCE)
        .map_err(forged)?;
    Ok(signed.id)
}

/// A public key of Ed25519.
pub type Ed25519Key = [u8; 32];

/// Verifies a webhook that is signed as fal does: Ed25519 over the ids of request and user, the time
/// and the body's hash, line by line. Gives the id of the request.
///
/// # Errors
///
/// The signature is that of none of the keys, or the time is more than five minutes away.
pub fn fal<'h>(
    headers: &'h HeaderMap,
    body: &[u8],
    keys: &[Ed25519Key],
    now: Millis,
) -> Result<&'h str, WebhookRefused> {
    if keys.is_empty() {
        return Err(WebhookRefused::NotSupported);
    }
    let find = |name| one(headers, name).ok_or(WebhookRefused::Forged("a header is missing"));
    let request = find("x-fal-webhook-request-id")?;
    let user = find("x-fal-webhook-user-id")?;
    let timestamp = find("x-fal-webhook-timestamp")?;
    let signature = find("x-fal-webhook-signature")?;
    let digits = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let at: i64 = timestamp
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or(WebhookRefused::Forged("there is no time"))?;
    let apart = now.div_euclid(1000).saturating_sub(at);
    if apart.saturating_abs() > TOLERANCE {
        let why = if apart > 0 { "it was sent too long ago" } else { "it was sent in the future" };
        return Err(WebhookRefused::Forged(why));
    }
    let signature =
        unhex(signature).ok_or(WebhookRefused::Forged("the signature is no hexadecimal"))?;
    let message = format!("{request}\n{user}\n{timestamp}\n{}", hex(&Sha256::digest(body)));
    let holds = |key: &Ed25519Key| {
        UnparsedPublicKey::new(&ED25519, key).verify(message.as_bytes(), &signature).is_ok()
    };
    if keys.iter().any(holds) {
        Ok(request)
    } else {
        Err(WebhookRefused::Forged("no key signed it"))
    }
}

/// The keys of Ed25519 in a JSON Web Key Set; others in it are passed over.
///
/// # Errors
///
/// It is no key set.
pub fn ed25519_keys(jwks: &[u8]) -> Result<Vec<Ed25519Key>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct KeySet {
        keys: Vec<Key>,
    }
    #[derive(serde::Deserialize)]
    struct Key {
        kty: Option<String>,
        crv: Option<String>,
        x: Option<String>,
    }
    let set: KeySet = serde_json::from_slice(jwks)?;
    let read = |key: &Key| {
        if key.kty.as_deref() != Some("OKP") || key.crv.as_deref() != Some("Ed25519") {
            return None;
        }
        let x = key.x.as_ref()?;
        let bytes = URL_SAFE_NO_PAD.decode(x).or_else(|_| URL_SAFE.decode(x)).ok()?;
        bytes.try_into().ok()
    };
    Ok(set.keys.iter().filter_map(read).collect())
}

/// The value of a header that is there once and is text.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    let (first, second) = (all.next()?, all.next());
    first.to_str().ok().filter(|_| second.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_700_000_000_500;
    const BODY: &[u8] =
        br#"{"request_id":"r-1","gateway_request_id":"r-1","status":"OK","payload":{"images":[]}}"#;
    const JWKS: &str = r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},
        {"kty":"OKP","crv":"Ed25519","x":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}]}"#;
    const SIGNED: [(&str, &str); 4] = [
        ("x-fal-webhook-request-id", "r-1"),
        ("x-fal-webhook-user-id", "user-1"),
        ("x-fal-webhook-timestamp", "1700000000"),
        (
            "x-fal-webhook-signature",
            "5cd8ce04c92f4e805b97e543a873038fefb917a7d9838a75bbfc2e3aa0f6fea0\
             ace2686034701d3db705d7680b1990347b9b40b1655b2d59a3360ebba12d4f00",
        ),
    ];

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn with(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = headers(&SIGNED);
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn fal_signs_with_one_of_its_keys() {
        let keys = ed25519_keys(JWKS.as_bytes()).unwrap();
        assert_eq!(keys.len(), 1);
        let signed = headers(&SIGNED);
        assert_eq!(fal(&signed, BODY, &keys, NOW), Ok("r-1"));
        let rotated = [[9; 32], keys[0]];
        assert_eq!(fal(&signed, BODY, &rotated, NOW), Ok("r-1"));
        assert_eq!(fal(&signed, BODY, &keys, NOW + 299_000), Ok("r-1"));
        assert_eq!(fal(&signed, BODY, &keys, NOW - 299_000), Ok("r-1"));
        for (headers, keys, now) in [
            (&signed, &[][..], NOW),
            (&signed, &[[9; 32]][..], NOW),
            (&signed, &keys[..], NOW + 301_000),
            (&signed, &keys[..], NOW - 301_000),
            (&with("x-fal-webhook-request-id", "r-2"), &keys[..], NOW),
            (&with("x-fal-webhook-user-id", "user-2"), &keys[..], NOW),
            (&with("x-fal-webhook-timestamp", "1700000001"), &keys[..], NOW),
            (&with("x-fal-webhook-timestamp", "+1700000000"), &keys[..], NOW),
            (&with("x-fal-webhook-signature", "5cd8"), &keys[..], NOW),
            (&with("x-fal-webhook-signature", "no"), &keys[..], NOW),
        ] {
            assert!(fal(headers, BODY, keys, now).is_err(), "{headers:?}");
        }
        for missing in 0..SIGNED.len() {
            let mut some = SIGNED.to_vec();
            let (name, value) = some.remove(missing);
            assert!(fal(&headers(&some), BODY, &keys, NOW).is_err(), "without {name}");
            some.extend([(name, value), (name, value)]);
            assert!(fal(&headers(&some), BODY, &keys, NOW).is_err(), "{name} twice");
        }
        for bit in 0..BODY.len() * 8 {
            let mut forged = BODY.to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(fal(&signed, &forged, &keys, NOW).is_err(), "bit {bit}");
        }
        assert!(ed25519_keys(b"<html>").is_err());
        assert_eq!(
            ed25519_keys(br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"#).unwrap(),
            [[0; 32]; 0]
        );
    }

    #[test]
    fn replicate_signs_with_one_of_its_secrets() {
        let secret = Secret::parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let other = Secret::of([7; 32]);
        let body =
            br#"{"id":"p1","status":"succeeded","output":"https://replicate.delivery/x.jpg"}"#;
        let signed = [
            ("webhook-id", "msg_op1_0001"),
            ("webhook-timestamp", "1700000000"),
            ("webhook-signature", "v1,AAAA v1,93vc5E9eaXkEY8QgQ6bQl4s7ItTejoL8/3HELcJ5fas="),
        ];
        let signed = headers(&signed);
        let id = standard(&signed, body, &[other.clone(), secret.clone()], NOW);
        assert_eq!(id, Ok("msg_op1_0001"));
        assert_eq!(standard(&signed, body, &[], NOW), Err(WebhookRefused::NotSupported));
        let refused = standard(&signed, body, &[other], NOW);
        assert_eq!(refused, Err(WebhookRefused::Forged("no signature holds")));
        let refused = standard(&signed, body, &[secret], NOW + 301_000);
        assert_eq!(refused, Err(WebhookRefused::Forged("it was sent too long ago")));
    }
}
