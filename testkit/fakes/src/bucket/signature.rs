//! Signatures of version 4, as a bucket checks them: in a header, or in the query of a URL that was
//! signed before.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use super::{KEY_ID, REGION, SECRET};
use crate::book::hex;
use crate::http::Asked;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// How far the clocks of caller and bucket may be apart, in seconds.
const CLOCKS: i64 = 15 * 60;

/// The pairs of a query, decoded.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pairs = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        let whole = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(whole.unwrap_or(b'?'));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().fold(String::new(), |mut into, byte| {
        if plain(byte) {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
        into
    })
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // Any key fits.
    let mac = Hmac::<Sha256>::new_from_slice(key).ok();
    mac.map_or_else(Vec::new, |mut mac| {
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    })
}

/// What a signature is made of.
struct Signed<'a> {
    credential: &'a str,
    headers: &'a str,
    signature: &'a str,
    date: &'a str,
    payload: &'a str,
    /// For how many seconds it holds; for calls of now, if absent.
    lives: Option<i64>,
}

/// Whether a call is signed with the bucket's key, now, and over what came.
pub(super) fn check(asked: &Asked) -> Result<(), &'static str> {
    let pairs = pairs(&asked.query);
    let of_query =
        |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let signed = match (asked.header("authorization"), of_query("X-Amz-Signature")) {
        (Some(header), None) => of_header(asked, header),
        (None, Some(signature)) => Some(Signed {
            credential: of_query("X-Amz-Credential").unwrap_or_default(),
            headers: of_query("X-Amz-SignedHeaders").unwrap_or_default(),
            signature,
            date: of_query("X-Amz-Date").unwrap_or_default(),
            payload: "UNSIGNED-PAYLOAD",
            lives: Some(of_query("X-Amz-Expires").and_then(|text| text.parse().ok()).unwrap_or(0)),
        })
        .filter(|_| of_query("X-Amz-Algorithm") == Some(ALGORITHM)),
        _ => None,
    };
    let signed = signed.ok_or("AccessDenied")?;
    timely(&signed)?;
    let day = signed.date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    if signed.credential != format!("{KEY_ID}/{scope}") {
        return Err("InvalidAccessKeyId");
    }
    if signed.payload != "UNSIGNED-PAYLOAD" && signed.payload != hex(&Sha256::digest(&asked.body)) {
        return Err("XAmzContentSHA256Mismatch");
    }
    let request = canonical(asked, &pairs, &signed).ok_or("SignatureDoesNotMatch")?;
    let text = format!(
        "{ALGORITHM}\n{}\n{scope}\n{}",
        signed.date,
        hex(&Sha256::digest(request.as_bytes()))
    );
    let parts = [day, REGION, "s3", "aws4_request"];
    let key = parts.iter().fold(format!("AWS4{SECRET}").into_bytes(), |key, part| mac(&key, part));
    if hex(&mac(&key, &text)) == signed.signature { Ok(()) } else { Err("SignatureDoesNotMatch") }
}

fn of_header<'a>(asked: &'a Asked, header: &'a str) -> Option<Signed<'a>> {
    let parts: Vec<(&str, &str)> = header
        .strip_prefix(ALGORITHM)?
        .split(',')
        .filter_map(|part| part.trim().split_once('='))
        .collect();
    let part = |name: &str| parts.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    Some(Signed {
        credential: part("Credential")?,
        headers: part("SignedHeaders")?,
        signature: part("Signature")?,
        date: asked.header("x-amz-date")?,
        payload: asked.header("x-amz-content-sha256")?,
        lives: None,
    })
}

fn timely(signed: &Signed<'_>) -> Result<(), &'static str> {
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", signed.date).ok();
    let at = at.and_then(|at| at.to_zoned_datetime(TimeZone::UTC).ok()).ok_or("AccessDenied")?;
    let age = Timestamp::now().as_second() - at.timestamp().as_second();
    match signed.lives {
        Some(lives) if !(1..=604_800).contains(&lives) => Err("AuthorizationQueryParametersError"),
        Some(lives) if age > lives => Err("AccessDenied"),
        None if age.abs() > CLOCKS => Err("RequestTimeTooSkewed"),
        _ => Ok(()),
    }
}

/// The request as it is signed; none if a header that must be signed is not.
fn canonical(asked: &Asked, pairs: &[(String, String)], signed: &Signed<'_>) -> Option<String> {
    let names: Vec<&str> = signed.headers.split(';').collect();
    if !names.contains(&"host") {
        return None;
    }
    let mut query: Vec<(String, String)> = pairs
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut headers = String::new();
    for name in &names {
        headers.push_str(&format!("{name}:{}\n", value(&asked.headers, name)?));
    }
    Some(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        asked.method,
        asked.path,
        query.join("&"),
        signed.headers,
        signed.payload
    ))
}

fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let all: Vec<&str> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let trimmed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!all.is_empty()).then(|| all.iter().map(|text| trimmed(text)).collect::<Vec<_>>().join(","))
}
