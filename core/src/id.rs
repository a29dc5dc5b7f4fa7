//! Ids: text that names something.

use std::borrow::Cow;
use std::fmt;

use crate::codes::Code;
use crate::decode::{Decode, Merge};
use crate::finding::Finding;
use crate::json::number::Integer;
use crate::json::reader::Reader;

/// An id: text that is not empty. A JSON integer is read as its decimal text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<'a>(Cow<'a, str>);

impl<'a> Id<'a> {
    /// The id, unless the text is empty.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same id, borrowed from this one.
    #[must_use]
    pub fn by_ref(&self) -> Id<'_> {
        Id(Cow::Borrowed(&self.0))
    }

    /// The same id without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Id<'static> {
        Id(Cow::Owned(self.0.into_owned()))
    }

    fn read(reader: &mut Reader<'_, 'a>, empty_is_absent: bool) -> Option<Self> {
        let at = reader.start();
        match reader.peek() {
            b'"' => {
                let text = reader.string("text")?;
                if text.is_empty() {
                    if !empty_is_absent {
                        let finding = Finding::new(Code::JsonEmptyId, "").at(at..reader.position());
                        reader.fault(at, finding);
                    }
                    return None;
                }
                Some(Self(text))
            }
            b'-' | b'0'..=b'9' => {
                let parsed = reader.number("text or a whole number")?;
                let Some(whole) = Integer::from_f64(parsed.value) else {
                    let finding = Finding::new(Code::JsonWrongType, "")
                        .arg("text or a whole number")
                        .arg(parsed.text.to_owned())
                        .at(at..reader.position());
                    reader.fault(at, finding);
                    return None;
                };
                let plain = parsed.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
                Some(Self(if plain && parsed.text != "-0" {
                    reader.keep(parsed.text.into())
                } else {
                    Cow::Owned(whole.get().to_string())
                }))
            }
            _ => {
                reader.wrong_type("text or a whole number");
                None
            }
        }
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Id<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for Id<'a> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        Self::read(reader, false)
    }
}

impl Merge for Id<'_> {}

/// An id of a template: `""` counts as absent, as in every "else" of the build.
pub(crate) fn optional<'a>(reader: &mut Reader<'_, 'a>) -> Option<Id<'a>> {
    Id::read(reader, true)
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Id<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An id: text that is not empty; a whole number is read as its decimal text.",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "integer", "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64 },
            ],
        })
    }
}

/// What [`optional`] reads; for its schema.
#[cfg(feature = "schema")]
pub(crate) struct Optional;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Optional {
    fn schema_name() -> Cow<'static, str> {
        "OptionalId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An id: text, empty for absent; a whole number is read as its decimal text.",
            "anyOf": [
                { "type": "string" },
                { "type": "integer", "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64 },
            ],
        })
    }
}
