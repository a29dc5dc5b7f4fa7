//! Any JSON, where a field is open.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::codes::Code;
use crate::decode::Decode;
use crate::finding::Finding;
use crate::json::locate;
use crate::json::number::Number;
use crate::json::reader::{Profile, Reader};
use crate::limits;

/// A value of an open map.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`. Open maps drop it; only text read as "any JSON" keeps it.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// An object.
    Map(Map<'a>),
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map<'a>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The same value without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Self::Map(map) => Value::Map(map.into_owned()),
        }
    }

    /// The kind of value, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Map(into), Self::Map(from)) => into.merge(from),
            (into, from) => *into = from.clone(),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Number> for Value<'_> {
    fn from(number: Number) -> Self {
        Self::Number(number.get())
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// An open map: members with any value, each name once, in the order they were given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Map<'a> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Sets a member; a value that stood there is replaced.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value<'a>> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }

    /// Whether it has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many members it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The same map without a borrow.
    #[must_use]
    pub fn into_owned(self) -> Map<'static> {
        Map(self
            .0
            .into_iter()
            .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
            .collect())
    }

    pub(crate) fn entries(&self) -> &[(Cow<'a, str>, Value<'a>)] {
        &self.0
    }

    /// Member by member: objects deep, everything else replaced.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            match self.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, slot)) => slot.merge(value),
                None => self.0.push((name.clone(), value.clone())),
            }
        }
    }

    pub(crate) fn push(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        self.0.push((name, value));
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Value<'a>)> for Map<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Value<'a>)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for Value<'a> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        match reader.peek() {
            b'"' => reader.string("").map(Self::Text),
            b'{' => Map::decode(reader).map(Self::Map),
            b'[' => list(reader, "").map(Self::List),
            b't' | b'f' => reader.boolean().map(Self::Bool),
            b'n' => {
                if reader.profile() == Profile::Any {
                    return reader.null().then_some(Self::Null);
                }
                reader.wrong_type("a value");
                None
            }
            b'-' | b'0'..=b'9' => reader.number("").map(|parsed| Self::Number(parsed.value)),
            _ => {
                reader.skip();
                None
            }
        }
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for Map<'a> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        let at = reader.start();
        if !reader.open_object("an object") {
            return None;
        }
        let before = reader.fault_count();
        let any = reader.profile() == Profile::Any;
        let mut map = Vec::new();
        let mut first = true;
        let mut nulls = false;
        while let Some(key) = reader.next_key(&mut first) {
            // `null` is kept until duplicates are looked for, and so is a faulty member: its name
            // still counts.
            let absent = !any && reader.null();
            let value = if absent { None } else { Value::decode(reader) };
            nulls |= value.is_none();
            map.push((reader.keep(key.text), value.unwrap_or(Value::Null)));
        }
        find_duplicates(reader, at, &map);
        if !any && map.len() > limits::MEMBERS {
            too_large(reader, at, "the open map", limits::MEMBERS);
        }
        if !any && nulls {
            map.retain(|(_, value)| *value != Value::Null);
        }
        (reader.fault_count() == before && !reader.is_broken()).then_some(Self(map))
    }
}

#[allow(clippy::cast_precision_loss, reason = "limits are small")]
pub(crate) fn too_large(reader: &mut Reader<'_, '_>, at: usize, what: &'static str, limit: usize) {
    let finding =
        Finding::new(Code::JsonTooLarge, "").arg(what).arg(limit as f64).at(at..reader.position());
    reader.fault(at, finding);
}

fn find_duplicates<'a>(reader: &mut Reader<'_, 'a>, at: usize, map: &[(Cow<'a, str>, Value<'a>)]) {
    let twice: Vec<&str> = if map.len() <= 12 {
        let mut twice = Vec::new();
        for (index, (name, _)) in map.iter().enumerate() {
            if map.iter().take(index).any(|(other, _)| other == name) {
                twice.push(name.as_ref());
            }
        }
        twice
    } else {
        let mut names: Vec<&str> = map.iter().map(|(name, _)| name.as_ref()).collect();
        crate::order::sort_names(&mut names);
        names
            .iter()
            .zip(names.iter().skip(1))
            .filter(|(one, other)| one == other)
            .map(|(one, _)| *one)
            .collect()
    };
    if twice.is_empty() {
        return;
    }
    for (name, key) in locate::repeated_keys(reader.text(), at) {
        let finding = Finding::new(Code::JsonDuplicateKey, "").arg(name).at(key.clone());
        reader.fault(key.start, finding);
    }
}

/// A list of anything; more than [`limits::ITEMS`] items are a fault.
pub(crate) fn list<'a, T: Decode<'a>>(
    reader: &mut Reader<'_, 'a>,
    expected: &'static str,
) -> Option<Vec<T>> {
    let mut items = Vec::new();
    let mut item = |reader: &mut Reader<'_, 'a>| items.extend(T::decode(reader));
    #[cfg(target_arch = "wasm32")]
    let item: &mut dyn FnMut(&mut Reader<'_, 'a>) = &mut item;
    #[cfg(not(target_arch = "wasm32"))]
    let item = &mut item;
    read_items(reader, expected, item).then_some(items)
}

/// Reads the items of a list; whether it is whole.
fn read_items<'a, F: FnMut(&mut Reader<'_, 'a>) + ?Sized>(
    reader: &mut Reader<'_, 'a>,
    expected: &'static str,
    item: &mut F,
) -> bool {
    let at = reader.start();
    if !reader.open_list(if expected.is_empty() { "a list" } else { expected }) {
        return false;
    }
    let before = reader.fault_count();
    let mut first = true;
    let mut count = 0_usize;
    while reader.next_item(&mut first) {
        count += 1;
        item(reader);
    }
    if count > limits::ITEMS && reader.profile() == Profile::Contract {
        too_large(reader, at, "the list", limits::ITEMS);
    }
    reader.fault_count() == before && !reader.is_broken()
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => match Number::new(*value) {
                Some(number) => number.serialize(serializer),
                None => serializer.serialize_f64(*value),
            },
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(feature = "schema")]
mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Map, Value};
    use crate::limits::SAFE_INTEGER_U64;

    impl JsonSchema for Value<'_> {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "OpenValue".into()
        }
        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let item = generator.subschema_for::<Value<'_>>();
            json_schema!({
                "description": "A value of an open map, at any depth: no null in lists; null members are dropped.",
                "anyOf": [
                    { "type": ["boolean", "string"] },
                    { "type": "number", "minimum": -(SAFE_INTEGER_U64.cast_signed()), "maximum": SAFE_INTEGER_U64 },
                    { "type": "array", "items": item },
                    { "type": "object", "additionalProperties": { "anyOf": [item, { "type": "null" }] } },
                ],
            })
        }
    }

    impl JsonSchema for Map<'_> {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "OpenMap".into()
        }
        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let item = generator.subschema_for::<Value<'_>>();
            json_schema!({
                "description": "An open map: members with any value.",
                "type": "object",
                "additionalProperties": { "anyOf": [item, { "type": "null" }] },
            })
        }
    }
}
