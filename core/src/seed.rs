//! Seeds as they are given: one text.

use std::borrow::Cow;

use crate::codes::Code;
use crate::decode::{Decode, Merge};
use crate::finding::Finding;
use crate::json::number::Integer;
use crate::json::reader::Reader;
use crate::json::value::Value;
use crate::limits;

/// An explicit seed: text of 1 to 128 Unicode scalar values. A whole number is its decimal text.
///
/// `0` is a seed like any other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seed<'a>(Cow<'a, str>);

impl<'a> Seed<'a> {
    /// The seed, unless the text is empty or too long.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        let fits = text.len() <= limits::SEED || crate::unicode::count(&text) <= limits::SEED;
        (!text.is_empty() && fits).then_some(Self(text))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same seed, borrowed from this one.
    #[must_use]
    pub fn by_ref(&self) -> Seed<'_> {
        Seed(Cow::Borrowed(&self.0))
    }

    /// The seed in an open map. `Ok(None)` for `""`, `Err` for what is no seed.
    pub(crate) fn from_value<'v>(value: &'v Value<'_>) -> Result<Option<Seed<'v>>, ()> {
        match value {
            Value::Text(text) if text.is_empty() => Ok(None),
            Value::Text(text) => Seed::new(text.as_ref()).map(Some).ok_or(()),
            Value::Number(number) => {
                let whole = Integer::from_f64(*number).ok_or(())?;
                Ok(Some(Seed(Cow::Owned(whole.get().to_string()))))
            }
            _ => Err(()),
        }
    }
}

impl From<Integer> for Seed<'_> {
    fn from(whole: Integer) -> Self {
        Self(Cow::Owned(whole.get().to_string()))
    }
}

impl serde::Serialize for Seed<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Merge for Seed<'_> {}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for Seed<'a> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        let at = reader.start();
        match reader.peek() {
            b'"' => {
                let text = reader.string("text")?;
                if text.is_empty() {
                    return None;
                }
                let seed = Self::new(text);
                if seed.is_none() {
                    malformed(reader, at);
                }
                seed
            }
            b'-' | b'0'..=b'9' => {
                let parsed = reader.number("a seed")?;
                let whole = Integer::from_f64(parsed.value);
                if whole.is_none() {
                    malformed(reader, at);
                }
                let whole = whole?;
                let digits = parsed.text.strip_prefix('-').unwrap_or(parsed.text);
                let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && parsed.text != "-0";
                if plain { Some(Self(reader.keep(parsed.text.into()))) } else { Some(whole.into()) }
            }
            _ => {
                reader.skip();
                malformed(reader, at);
                None
            }
        }
    }
}

fn malformed(reader: &mut Reader<'_, '_>, at: usize) {
    let end = reader.position();
    reader.fault(at, Finding::new(Code::SeedMalformed, "").at(at..end));
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Seed<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Seed".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A whole number, or text of 1 to 128 characters; an empty text counts as absent.",
            "anyOf": [
                { "type": "string", "maxLength": 128 },
                { "type": "integer", "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64 },
            ],
        })
    }
}
