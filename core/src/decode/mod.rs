//! JSON text to types: every fault with its pointer, all at once.
//!
//! Types that travel are declared with `record!` and `words!`: one declaration gives the struct,
//! its reader, its writer, its JSON Schema and its member-by-member merge, so that none of them
//! can drift from the others.

mod record;
mod word;

use std::borrow::Cow;

pub(crate) use record::{
    Members, Next, Seen, Shape, Slot, Unknown, edit_record, read_object, read_required, read_with,
    record,
};
pub(crate) use word::{decode_word, nearest, place_of, words};

use crate::finding::Finding;
use crate::json::locate;
use crate::json::number::{Integer, Number};
use crate::json::reader::{Profile, Reader};
use crate::json::value;

/// A type that is read from JSON text.
///
/// Implemented by the types of this crate only; call [`decode`].
#[allow(private_interfaces, reason = "sealed: only this crate can name the reader")]
pub trait Decode<'a>: Sized {
    /// Reads one value. `None` after a fault, which the reader keeps, and for what counts as
    /// absent.
    #[doc(hidden)]
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self>;

    /// Reads what the reader's path leads to in this value again.
    #[doc(hidden)]
    fn edit(&mut self, reader: &mut Reader<'_, 'a>) {
        reader.lost();
    }
}

/// What reading a document gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<T> {
    /// The parts that could be read; `None` if nothing could.
    pub value: Option<T>,
    /// The faults, in document order. Empty means that `value` is whole.
    pub faults: Vec<Finding>,
}

impl<T> Decoded<T> {
    /// The value, if there was no fault.
    ///
    /// # Errors
    ///
    /// All faults of reading.
    pub fn into_result(self) -> Result<T, crate::Refusal> {
        match self.value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(crate::Refusal::new(self.faults)),
        }
    }
}

/// Reads a document from JSON text.
///
/// ```
/// use onepath_core::{GenerationNodeConfig, decode};
///
/// let read = decode::<GenerationNodeConfig>(r#"{"generationType": "dialog", "version": true}"#);
/// let pointers: Vec<_> = read.faults.iter().map(|fault| fault.pointer()).collect();
/// assert_eq!(pointers, ["/generationType", "/version"]);
/// assert_eq!(read.faults[0].help().as_deref(), Some("did you mean `dialogue`?"));
/// ```
#[must_use]
pub fn decode<'a, T: Decode<'a>>(text: &'a str) -> Decoded<T> {
    Source::borrowed(text).decode()
}

/// A text that is read, and whether what is read borrows from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'t, 'a> {
    pub(crate) text: &'t str,
    reader: fn(&'t str, Profile) -> Reader<'t, 'a>,
}

impl<'t> Source<'t, 't> {
    /// What is read borrows from the text.
    pub(crate) fn borrowed(text: &'t str) -> Self {
        Self { text, reader: Reader::new }
    }
}

impl<'t> Source<'t, 'static> {
    /// What is read lives on without the text.
    pub(crate) fn owned(text: &'t str) -> Self {
        Self { text, reader: Reader::owning }
    }
}

impl<'a> Source<'_, 'a> {
    /// Reads a document; see [`decode`].
    pub(crate) fn decode<T: Decode<'a>>(&self) -> Decoded<T> {
        let mut value = None;
        let (broken, faults) = self.read(&mut |reader| value = T::decode(reader));
        Decoded { value: if broken { None } else { value }, faults }
    }

    /// What is the same for every type; says whether the syntax is broken, too.
    fn read(&self, read: &mut dyn FnMut(&mut Reader<'_, 'a>)) -> (bool, Vec<Finding>) {
        let mut reader = (self.reader)(self.text, Profile::Contract);
        read(&mut reader);
        reader.end();
        let broken = reader.is_broken();
        let faults = reader.into_faults();
        let unplaced = faults.is_empty();
        (broken, if unplaced { Vec::new() } else { locate::resolve(self.text, faults) })
    }
}

/// Text, borrowed from the document where it can be.
pub type Text<'a> = Cow<'a, str>;

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for Text<'a> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        reader.string("text")
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for bool {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        reader.boolean()
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for Number {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        if let Some(value) = reader.given() {
            return reader.fitting(Self::new(value));
        }
        reader.number("a number").and_then(|parsed| Self::new(parsed.value))
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for Integer {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        if let Some(value) = reader.given() {
            return reader.fitting(Self::from_f64(value));
        }
        let at = reader.start();
        let parsed = reader.number("a whole number")?;
        let whole = Self::from_f64(parsed.value);
        if whole.is_none() {
            let finding = Finding::new(crate::Code::JsonWrongType, "")
                .arg("a whole number")
                .arg(parsed.text.to_owned())
                .at(at..reader.position());
            reader.fault(at, finding);
        }
        whole
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        value::list(reader, "a list")
    }

    fn edit(&mut self, reader: &mut Reader<'_, 'a>) {
        let Some(item) = reader.step_to_item().and_then(|index| self.get_mut(index)) else {
            return reader.lost();
        };
        if reader.has_steps() {
            item.edit(reader);
        } else if let Some(read) = T::decode(reader) {
            *item = read;
        }
    }
}

/// Member-by-member merge: objects deep, everything else replaced.
pub(crate) trait Merge: Clone {
    fn merge(&mut self, other: &Self) {
        *self = other.clone();
    }
}

impl Merge for Text<'_> {}
impl Merge for bool {}
impl Merge for Number {}
impl Merge for Integer {}
impl<T: Clone> Merge for Vec<T> {}
impl Merge for crate::json::value::Map<'_> {
    fn merge(&mut self, other: &Self) {
        Self::merge(self, other);
    }
}
impl Merge for crate::json::value::Value<'_> {
    fn merge(&mut self, other: &Self) {
        Self::merge(self, other);
    }
}
impl<T: Merge> Merge for Option<T> {
    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Some(into), Some(from)) => into.merge(from),
            (into @ None, Some(from)) => *into = Some(from.clone()),
            (_, None) => {}
        }
    }
}
