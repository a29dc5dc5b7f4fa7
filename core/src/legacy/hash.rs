//! The hash of 2025: SHA-256 over Python's `json.dumps(…, sort_keys=True)` with tight separators.
//!
//! Whole numbers and floats are told apart by their text (`5` and `5.0` hash differently), floats
//! print as Python's `repr` does, everything beyond ASCII is escaped, members are sorted by code
//! points, and `null` stays.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::canonical::shortest_digits;
use crate::decode::Decode;
use crate::finding::Refusal;
use crate::fingerprint::Hash;
use crate::json::locate;
use crate::json::reader::{Profile, Reader};

/// The SHA-256 of a generation of 2025, from the text of `{"canonical_params": …, "inputs": …}`.
///
/// ```
/// use onepath_core::legacy::legacy_hash;
///
/// let hash = legacy_hash(r#"{"canonical_params": {}, "inputs": []}"#).unwrap();
/// assert_eq!(hash.to_string(), "66ce1f3a4c8f24ad6325a2897d738ec1b9b81735d1e88c646b2780f39fd0a5be");
/// ```
///
/// # Errors
///
/// What makes the text no JSON document.
pub fn legacy_hash(text: &str) -> Result<Hash, Refusal> {
    let mut reader = Reader::new(text, Profile::Any);
    let raw = Raw::decode(&mut reader);
    reader.end();
    let faults = reader.into_faults();
    match raw {
        Some(raw) if faults.is_empty() => {
            let mut out = String::new();
            raw.write(&mut out);
            Ok(Hash::of(out.as_bytes()))
        }
        _ => Err(Refusal::new(locate::resolve(text, faults))),
    }
}

/// Any JSON, with numbers as they stand.
enum Raw<'a> {
    Plain(&'static str),
    Number(Cow<'a, str>, f64),
    Text(Cow<'a, str>),
    List(Vec<Raw<'a>>),
    Map(Vec<(Cow<'a, str>, Raw<'a>)>),
}

impl<'a> Decode<'a> for Raw<'a> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        match reader.peek() {
            b'"' => reader.string("").map(Self::Text),
            b'n' => reader.null().then_some(Self::Plain("null")),
            b't' | b'f' => {
                reader.boolean().map(|value| Self::Plain(if value { "true" } else { "false" }))
            }
            b'[' => {
                let mut items = Vec::new();
                let mut first = true;
                if !reader.open_list("") {
                    return None;
                }
                while reader.next_item(&mut first) {
                    items.push(Self::decode(reader)?);
                }
                Some(Self::List(items))
            }
            b'{' => {
                let mut members = Vec::new();
                let mut seen = crate::decode::Seen::default();
                let mut first = true;
                if !reader.open_object("") {
                    return None;
                }
                while let Some(key) = reader.next_key(&mut first) {
                    let _ = seen.repeated(reader, &key);
                    members.push((reader.keep(key.text), Self::decode(reader)?));
                }
                Some(Self::Map(members))
            }
            b'-' | b'0'..=b'9' => {
                let parsed = reader.number("")?;
                Some(Self::Number(reader.keep(parsed.text.into()), parsed.value))
            }
            _ => {
                reader.skip();
                None
            }
        }
    }
}

impl Raw<'_> {
    fn write(&self, out: &mut String) {
        match self {
            Self::Plain(word) => out.push_str(word),
            Self::Number(text, value) => write_number(out, text, *value),
            Self::Text(text) => write_text(out, text),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Map(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                // UTF-8 sorts by code points.
                sorted.sort_by(|one, other| one.0.cmp(&other.0));
                out.push('{');
                for (index, (name, value)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Whole numbers keep their digits, however many; floats print as Python's `repr` does.
fn write_number(out: &mut String, text: &str, value: f64) {
    if !text.contains(['.', 'e', 'E']) {
        out.push_str(if text == "-0" { "0" } else { text });
        return;
    }
    // The sign is taken from the text: reading makes −0 to 0.
    if text.starts_with('-') {
        out.push('-');
    }
    let (digits, point) = shortest_digits(value);
    if digits.is_empty() {
        out.push_str("0.0");
    } else if (1..=16).contains(&point) {
        let at = usize::try_from(point).unwrap_or(1);
        let whole: String = digits.chars().chain(std::iter::repeat('0')).take(at).collect();
        let fraction: String = digits.chars().skip(at).collect();
        let fraction = if fraction.is_empty() { "0" } else { &fraction };
        let _ = write!(out, "{whole}.{fraction}");
    } else if (-3..=0).contains(&point) {
        out.push_str("0.");
        for _ in 0..-point {
            out.push('0');
        }
        out.push_str(&digits);
    } else {
        let (head, tail) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        out.push_str(head);
        if !tail.is_empty() {
            out.push('.');
            out.push_str(tail);
        }
        let sign = if point < 1 { '-' } else { '+' };
        let _ = write!(out, "e{sign}{:02}", (point - 1).abs());
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}
