//! Types to JSON text: the writer for what is sent and kept, beside the canonical one.
//!
//! Members stand in the order of the types. Texts and numbers are written by the same functions as
//! canonical text, several times faster than a general writer does it.

use std::fmt;

use serde::ser::{self, Impossible, Serialize};

use crate::canonical::{write_integer, write_number};
use crate::json::text::JsonText;

/// Writes a value as JSON text.
///
/// Made for the types of this crate and answers that hold them: texts, numbers, booleans, lists,
/// objects with text keys, unit variants.
///
/// ```
/// use onepath_core::{GenerateContentRequest, decode, to_json};
///
/// let text = r#"{"type":"dialogue","purpose":"adaptive","strategy":"once","prompt":"a \"b\"\n"}"#;
/// let request = decode::<GenerateContentRequest>(text).into_result().unwrap();
/// let written = to_json(&request).unwrap();
/// assert_eq!(decode::<GenerateContentRequest>(&written).into_result().unwrap(), request);
/// assert_eq!(written, serde_json::to_string(&request).unwrap());
/// ```
///
/// # Errors
///
/// The value has what JSON has not: keys that are no text, bytes, numbers that are not finite.
pub fn to_json(value: &impl Serialize) -> Result<String, NotJson> {
    written(&mut |out| value.serialize(Writer { out }))
}

/// What is the same for every type.
fn written(write: &mut dyn FnMut(&mut JsonText) -> Result<(), NotJson>) -> Result<String, NotJson> {
    let mut out = JsonText::with_capacity(4096);
    write(&mut out)?;
    Ok(out.into_string())
}

/// A value has what JSON has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotJson {
    /// A key of a map is no text.
    #[error("a key that is no text cannot be written as JSON")]
    Key,
    /// A number is infinite or none.
    #[error("a number that is not finite cannot be written as JSON")]
    Number,
    /// Bytes, a number of 32 bits, or a variant that holds something.
    #[error("a value of this kind cannot be written as JSON")]
    Kind,
    /// A type refuses to be written.
    #[error("the value cannot be written")]
    Refused,
}

impl ser::Error for NotJson {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Refused
    }
}

struct Writer<'o> {
    out: &'o mut JsonText,
}

impl<'o> ser::Serializer for Writer<'o> {
    type Ok = ();
    type Error = NotJson;
    type SerializeSeq = Members<'o>;
    type SerializeTuple = Members<'o>;
    type SerializeTupleStruct = Members<'o>;
    type SerializeTupleVariant = Impossible<(), NotJson>;
    type SerializeMap = Members<'o>;
    type SerializeStruct = Members<'o>;
    type SerializeStructVariant = Impossible<(), NotJson>;

    fn serialize_bool(self, value: bool) -> Result<(), NotJson> {
        self.out.raw(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), NotJson> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i16(self, value: i16) -> Result<(), NotJson> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i32(self, value: i32) -> Result<(), NotJson> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i64(self, value: i64) -> Result<(), NotJson> {
        write_integer(self.out, value);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), NotJson> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_u16(self, value: u16) -> Result<(), NotJson> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_u32(self, value: u32) -> Result<(), NotJson> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_u64(self, value: u64) -> Result<(), NotJson> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value),
            Err(_) => {
                self.out.raw(&value.to_string());
                Ok(())
            }
        }
    }

    #[allow(clippy::disallowed_types, reason = "serde's trait has it; it is refused")]
    fn serialize_f32(self, _: f32) -> Result<(), NotJson> {
        Err(NotJson::Kind)
    }

    fn serialize_f64(self, value: f64) -> Result<(), NotJson> {
        if !value.is_finite() {
            return Err(NotJson::Number);
        }
        write_number(self.out, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), NotJson> {
        self.out.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), NotJson> {
        self.out.text(value);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), NotJson> {
        Err(NotJson::Kind)
    }

    fn serialize_none(self) -> Result<(), NotJson> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotJson> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NotJson> {
        self.out.raw("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NotJson> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), NotJson> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NotJson> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NotJson> {
        Err(NotJson::Kind)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'o>, NotJson> {
        Ok(Members::open(self.out, b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'o>, NotJson> {
        Ok(Members::open(self.out, b'[', b']'))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members<'o>, NotJson> {
        Ok(Members::open(self.out, b'[', b']'))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), NotJson>, NotJson> {
        Err(NotJson::Kind)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'o>, NotJson> {
        Ok(Members::open(self.out, b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'o>, NotJson> {
        Ok(Members::open(self.out, b'{', b'}'))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), NotJson>, NotJson> {
        Err(NotJson::Kind)
    }
}

/// A list or an object on its way.
struct Members<'o> {
    out: &'o mut JsonText,
    close: u8,
    first: bool,
}

impl<'o> Members<'o> {
    fn open(out: &'o mut JsonText, open: u8, close: u8) -> Self {
        out.ascii(open);
        Self { out, close, first: true }
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.ascii(b',');
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotJson> {
        self.comma();
        value.serialize(Writer { out: self.out })
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), NotJson> {
        self.out.name(name, &mut self.first);
        value.serialize(Writer { out: self.out })
    }

    fn close(self) {
        self.out.ascii(self.close);
    }
}

impl ser::SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = NotJson;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotJson> {
        self.item(value)
    }

    fn end(self) -> Result<(), NotJson> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTuple for Members<'_> {
    type Ok = ();
    type Error = NotJson;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotJson> {
        self.item(value)
    }

    fn end(self) -> Result<(), NotJson> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTupleStruct for Members<'_> {
    type Ok = ();
    type Error = NotJson;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotJson> {
        self.item(value)
    }

    fn end(self) -> Result<(), NotJson> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = NotJson;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotJson> {
        self.comma();
        let before = self.out.len();
        key.serialize(Writer { out: self.out })?;
        if self.out.as_bytes().get(before) == Some(&b'"') { Ok(()) } else { Err(NotJson::Key) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotJson> {
        self.out.ascii(b':');
        value.serialize(Writer { out: self.out })
    }

    fn end(self) -> Result<(), NotJson> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = NotJson;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NotJson> {
        self.member(name, value)
    }

    fn end(self) -> Result<(), NotJson> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "\\PC{0,20}|[\\x00-\\x7f]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(".{0,12}", inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_writes_what_a_general_writer_writes(value in any_json()) {
            prop_assert_eq!(to_json(&value).unwrap(), serde_json::to_string(&value).unwrap());
        }
    }

    #[test]
    fn what_json_has_not_is_refused() {
        assert!(to_json(&f64::NAN).is_err());
        assert!(to_json(&std::collections::BTreeMap::from([(1, 2)])).is_err());
        assert_eq!(
            to_json(&json!([1.5, 1e21, u64::MAX])).unwrap(),
            "[1.5,1e+21,18446744073709551615]"
        );
    }
}
