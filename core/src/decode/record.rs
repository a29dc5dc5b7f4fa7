//! `record!`: one declaration of an object that travels.

use std::borrow::Cow;

use crate::codes::Code;
use crate::decode::{Decode, nearest};
use crate::finding::Finding;
use crate::json::reader::{Key, Reader};
use crate::order::NameSet;

/// Which fields of an object were seen, and in which spelling.
#[derive(Debug, Default)]
pub(crate) struct Seen<'a> {
    first: u64,
    second: u64,
    /// Other names; most objects have none.
    names: Option<Box<Names<'a>>>,
}

#[derive(Debug, Default)]
struct Names<'a> {
    /// Names of fields other than the first that were seen: a field may have several.
    spellings: Vec<Cow<'a, str>>,
    /// Members that are no fields.
    others: NameSet<'a>,
}

impl<'a> Seen<'a> {
    /// Notes a field; false if it was there before, which is a fault.
    #[inline]
    pub(crate) fn mark(
        &mut self,
        reader: &mut Reader<'_, '_>,
        key: &Key<'a>,
        index: usize,
        second: bool,
        shape: &Shape,
    ) -> bool {
        let bit = 1_u64 << index;
        if !second && (self.first | self.second) & bit == 0 {
            self.first |= bit;
            return true;
        }
        self.mark_again(reader, key, index, second, shape)
    }

    /// A field in another spelling, or one that was there before.
    #[inline(never)]
    fn mark_again(
        &mut self,
        reader: &mut Reader<'_, '_>,
        key: &Key<'a>,
        index: usize,
        second: bool,
        shape: &Shape,
    ) -> bool {
        let bit = 1_u64 << index;
        let before = (self.first | self.second) & bit != 0;
        let same_name = if second {
            let spellings = &mut self.names.get_or_insert_default().spellings;
            let same_name = spellings.contains(&key.text);
            spellings.push(key.text.clone());
            self.second |= bit;
            same_name
        } else {
            let same_name = self.first & bit != 0;
            self.first |= bit;
            same_name
        };
        if !before {
            return true;
        }
        let code = if same_name { Code::JsonDuplicateKey } else { Code::JsonDuplicateField };
        let name = key.text.clone().into_owned();
        let end = reader.position();
        let finding = Finding::new(code, "").arg(name).arg(shape.wire(index));
        reader.fault(key.at, finding.at(key.at..end));
        reader.skip();
        false
    }

    /// Notes a member that is no field; true if it stood there before, which is a fault.
    pub(crate) fn repeated(&mut self, reader: &mut Reader<'_, '_>, key: &Key<'a>) -> bool {
        if !self.names.get_or_insert_default().others.insert(key.text.clone()) {
            let name = key.text.clone().into_owned();
            let end = reader.position();
            let finding = Finding::new(Code::JsonDuplicateKey, "").arg(name).at(key.at..end);
            reader.fault(key.at, finding);
            return true;
        }
        false
    }
}

/// Where a field's value goes.
pub(crate) trait Slot<'a> {
    fn read(&mut self, reader: &mut Reader<'_, 'a>);
}

impl<'a, T: Decode<'a>> Slot<'a> for Option<T> {
    fn read(&mut self, reader: &mut Reader<'_, 'a>) {
        if reader.has_steps() {
            return match self {
                Some(value) => value.edit(reader),
                None => reader.lost(),
            };
        }
        put(self, reader, T::decode);
    }
}

/// A member that is no field, in an object that refuses them.
#[cold]
pub(crate) fn unknown_field(reader: &mut Reader<'_, '_>, key: &Key<'_>, shape: &Shape) {
    let end = reader.position();
    let names: Vec<&'static str> = shape.wires().collect();
    let finding = Finding::new(Code::JsonUnknownField, "")
        .arg(key.text.clone().into_owned())
        .arg(shape.label)
        .nearest(nearest(&key.text, &names))
        .at(key.at..end);
    reader.fault(key.at, finding);
    reader.skip();
}

/// How an object of one type is read: the table that `record!` makes of its declaration.
#[derive(Debug)]
pub(crate) struct Shape {
    /// What an object of this type is called.
    pub(crate) label: &'static str,
    /// Its fields, a line each: the name on the wire, then the other names that are read. One text,
    /// because a list of lists of texts is twice as large.
    pub(crate) fields: &'static str,
    /// The fields that must be there, and the fault of an object without them.
    pub(crate) required: &'static [(usize, Code)],
    /// What happens to members that are none of its fields.
    pub(crate) unknown: Unknown,
}

impl Shape {
    /// The names on the wire.
    fn wires(&self) -> impl Iterator<Item = &'static str> {
        self.fields.split_terminator('\n').filter_map(|line| line.split(' ').next())
    }

    fn wire(&self, index: usize) -> &'static str {
        self.wires().nth(index).unwrap_or("")
    }
}

/// What happens to a member that is no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "spelled as declarations spell them")]
pub(crate) enum Unknown {
    /// A fault.
    refuse,
    /// A fault, but the document may name its `$schema`.
    file,
    /// It belongs to the game.
    ignore,
    /// A provider block of a style, or a fault.
    blocks,
}

/// An object that is being read: where its members go.
pub(crate) trait Members<'a> {
    /// Reads the value of the field with this number.
    fn field(&mut self, index: usize, reader: &mut Reader<'_, 'a>);

    /// The field that a name stands for, and whether it is the name on the wire, by code that is
    /// compiled for this type: faster than the table, and larger.
    #[cfg(not(target_arch = "wasm32"))]
    fn find(&self, name: &str) -> Option<(usize, bool)>;

    /// Reads the value of an old member that is folded into others; false if it is none.
    fn old<'t>(&mut self, _: &Key<'t>, _: &mut Seen<'t>, _: &mut Reader<'t, 'a>) -> bool {
        false
    }

    /// Reads a provider block of a style.
    fn block(&mut self, _: Cow<'a, str>, _: &mut Reader<'_, 'a>) {}
}

/// Where the search for a field starts: most documents name their fields in the order of the
/// declaration.
#[derive(Default)]
pub(crate) struct Next {
    index: usize,
    line: usize,
}

impl Shape {
    /// The field that a name stands for, and whether it is the name on the wire.
    ///
    /// Byte by byte, because nothing of the standard library is inlined where size counts most.
    pub(crate) fn find(&self, name: &str, next: &mut Next) -> Option<(usize, bool)> {
        let (fields, name) = (self.fields.as_bytes(), name.as_bytes());
        let end_of = |from: usize, line: bool| {
            let mut at = from;
            while fields.get(at).is_some_and(|byte| *byte != b'\n' && (line || *byte != b' ')) {
                at += 1;
            }
            at
        };
        for start in [std::mem::take(next), Next::default()] {
            let (mut index, mut at, mut on_wire) = (start.index, start.line, true);
            while at < fields.len() {
                let end = end_of(at, false);
                if end - at == name.len() && fields.get(at..end) == Some(name) {
                    *next = Next { index: index + 1, line: end_of(end, true) + 1 };
                    return Some((index, on_wire));
                }
                on_wire = fields.get(end) == Some(&b'\n');
                index += usize::from(on_wire);
                at = end + 1;
            }
        }
        None
    }
}

/// Reads an object, member by member, into `members`: the one loop behind every `record!`. `None`
/// if there is no object, else where it starts.
///
/// Compiled once for each type where speed counts, and once for all of them (`M` is `dyn Members`)
/// in a module for browsers, where size does.
pub(crate) fn read_object<'a, M: Members<'a> + ?Sized>(
    reader: &mut Reader<'_, 'a>,
    shape: &Shape,
    members: &mut M,
) -> Option<usize> {
    let at = reader.start();
    if !reader.open_object("an object") {
        return None;
    }
    let mut seen = Seen::default();
    let mut first = true;
    #[cfg(target_arch = "wasm32")]
    let mut next = Next::default();
    while let Some(key) = reader.next_key(&mut first) {
        #[cfg(not(target_arch = "wasm32"))]
        let found = members.find(&key.text);
        #[cfg(target_arch = "wasm32")]
        let found = shape.find(&key.text, &mut next);
        if let Some((index, on_wire)) = found {
            if seen.mark(reader, &key, index, !on_wire, shape) {
                members.field(index, reader);
            }
        } else if !members.old(&key, &mut seen, reader) {
            other_member(reader, shape, members, &mut seen, key);
        }
    }
    if !reader.is_broken() {
        for &(index, code) in shape.required {
            if seen.absent(index) {
                reader.missing(at, shape.wire(index), code);
            }
        }
    }
    Some(at)
}

fn other_member<'t, 'a, M: Members<'a> + ?Sized>(
    reader: &mut Reader<'t, 'a>,
    shape: &Shape,
    members: &mut M,
    seen: &mut Seen<'t>,
    key: Key<'t>,
) {
    let repeated = seen.repeated(reader, &key);
    if shape.unknown == Unknown::file && key.text == "$schema" && reader.at_top() {
        if !reader.null() {
            let _ = reader.string("text");
        }
    } else if repeated || shape.unknown == Unknown::ignore {
        reader.skip();
    } else if shape.unknown == Unknown::blocks
        && crate::config::is_block_name(&key.text)
        && matches!(reader.peek(), b'n' | b'{')
    {
        if !reader.null() {
            let name = reader.keep(key.text);
            members.block(name, reader);
        }
    } else {
        unknown_field(reader, &key, shape);
    }
}

/// Reads a field that must be there: `null`, and an empty word, say that it is absent.
pub(crate) fn read_required<'a>(
    reader: &mut Reader<'_, 'a>,
    code: Code,
    read: &mut dyn FnMut(&mut Reader<'_, 'a>) -> bool,
) {
    let (start, before) = (reader.start(), reader.fault_count());
    if !read(reader) && reader.fault_count() == before {
        reader.absent(start, code);
    }
}

/// Reads a field by a function of its own.
pub(crate) fn read_with<'a, T>(
    slot: &mut Option<T>,
    reader: &mut Reader<'_, 'a>,
    read: fn(&mut Reader<'_, 'a>) -> Option<T>,
) {
    if reader.has_steps() {
        return reader.lost();
    }
    put(slot, reader, read);
}

fn put<'a, T>(
    slot: &mut Option<T>,
    reader: &mut Reader<'_, 'a>,
    read: fn(&mut Reader<'_, 'a>) -> Option<T>,
) {
    if reader.is_edit() {
        *slot = None;
    }
    if !reader.null() {
        // A field is read once, so that nothing stands there yet; saying so spares each of hundreds
        // of fields the code that would drop it.
        std::mem::forget(std::mem::replace(slot, read(reader)));
    }
}

/// Reads the field of a record again that the reader's path leads to.
pub(crate) fn edit_record<'a>(
    members: &mut dyn Members<'a>,
    shape: &Shape,
    reader: &mut Reader<'_, 'a>,
) {
    match reader.step_to_field(shape) {
        Some(index) => members.field(index, reader),
        None => reader.lost(),
    }
}

/// Declares a type that travels as a JSON object.
///
/// `name: Type = "wire" | "alias" [with function] [required Code];`: the Rust name is the field's
/// snake_case spelling and is accepted on input beside the wire name; aliases are further accepted
/// names; `as` names the type whose schema describes what the function reads; `(only)` behind the wire name leaves it as the one spelling. `folds` reads old fields into
/// new ones. A required field's absence is a fault with the code that is named.
/// `unknown` says what happens to other members: `refuse` (a fault), `file` (the same, but the
/// document may name its `$schema`, which is dropped), `ignore` (they belong to the game), or
/// `blocks` (provider blocks of a style). `bytes` limits the size of the text.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $(#[derive($derive:ident)])?
        $vis:vis struct $name:ident $(<$lt:lifetime>)? ($label:literal, unknown: $unknown:ident $(, bytes: $bytes:path)? $(, blocks: $blocks:ty)?) {
            $(
                $(#[doc = $fdoc:literal])*
                $field:ident: $ty:ty = $wire:literal $(($only:ident))? $(| $alias:literal)*
                    $(with $with:path $(as $schema:ty)?)? $(, required $code:ident)?;
            )*
        }
        $(folds $old:ty => ($($into:ident),*) {
            $($old_wire:literal | $old_alias:literal: $old_ty:ty => $method:ident;)*
        })?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq $(, $derive)?)]
        #[allow(clippy::derive_partial_eq_without_eq, reason = "some records hold numbers")]
        $vis struct $name $(<$lt>)? {
            $($(#[doc = $fdoc])* pub $field: $ty,)*
            $(/// The other members, in order.
            pub blocks: $blocks,)?
        }

        const _: () = {
            /// Each field's number.
            #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "named as the fields")]
            enum Index { $($field,)* }

            const SHAPE: &$crate::decode::Shape = &$crate::decode::Shape {
                label: $label,
                fields: concat!($(
                    $wire, " ", $crate::decode::record!(@spelling $field $wire $($only)?), $(" ", $alias,)* "\n",
                )*),
                required: &[$($((Index::$field as usize, $crate::Code::$code),)?)*],
                unknown: $crate::decode::Unknown::$unknown,
            };

            /// Each field's snake_case spelling.
            #[cfg(not(target_arch = "wasm32"))]
            #[allow(non_upper_case_globals, reason = "named as the fields")]
            mod spelling {
                $(pub(super) const $field: &str = $crate::decode::record!(@spelling $field $wire $($only)?);)*
            }

            $crate::decode::record!(@when ($($derive)?) {
                // Every field may be absent: the type itself is what is read into.
                impl<'de $(: $lt, $lt)?> $crate::decode::Members<'de> for $name $(<$lt>)?
                $(where 'de: $lt, $lt: 'de)?
                {
                    #[cfg(not(target_arch = "wasm32"))]
                    #[allow(unreachable_patterns, reason = "the two spellings of one word are the same")]
                    fn find(&self, name: &str) -> Option<(usize, bool)> {
                        Some(match name {
                            $($wire => (Index::$field as usize, true),)*
                            $(spelling::$field $(| $alias)* => (Index::$field as usize, false),)*
                            _ => return None,
                        })
                    }

                    fn field(&mut self, index: usize, reader: &mut $crate::json::Reader<'_, 'de>) {
                        $(if index == Index::$field as usize {
                            return $crate::decode::record!(@read reader, self.$field $(, with $with)? $(, code $code)?);
                        })*
                    }
                    $crate::decode::record!(@block $unknown);
                }

                #[allow(private_interfaces, reason = "sealed trait")]
                impl<'de $(: $lt, $lt)?> $crate::decode::Decode<'de> for $name $(<$lt>)?
                $(where 'de: $lt, $lt: 'de)?
                {
                    fn decode(reader: &mut $crate::json::Reader<'_, 'de>) -> Option<Self> {
                        let mut read = Self::default();
                        #[cfg(not(target_arch = "wasm32"))]
                        let at = $crate::decode::read_object(reader, SHAPE, &mut read)?;
                        #[cfg(target_arch = "wasm32")]
                        let at = $crate::decode::read_object::<dyn $crate::decode::Members<'de>>(reader, SHAPE, &mut read)?;
                        let _ = at;
                        $(if reader.position() - at > $bytes {
                            $crate::json::value::too_large(reader, at, concat!("this document of bytes (", $label, ")"), $bytes);
                        })?
                        Some(read)
                    }

                    fn edit(&mut self, reader: &mut $crate::json::Reader<'_, 'de>) {
                        $crate::decode::edit_record(self, SHAPE, reader);
                    }
                }
            } else {
                struct Partial $(<$lt>)? {
                    $($field: $crate::decode::record!(@slot $ty $(, $code)?),)*
                    $(folded: $old,)?
                }

                impl<'de $(: $lt, $lt)?> $crate::decode::Members<'de> for Partial $(<$lt>)?
                $(where 'de: $lt, $lt: 'de)?
                {
                    #[cfg(not(target_arch = "wasm32"))]
                    #[allow(unreachable_patterns, reason = "the two spellings of one word are the same")]
                    fn find(&self, name: &str) -> Option<(usize, bool)> {
                        Some(match name {
                            $($wire => (Index::$field as usize, true),)*
                            $(spelling::$field $(| $alias)* => (Index::$field as usize, false),)*
                            _ => return None,
                        })
                    }

                    fn field(&mut self, index: usize, reader: &mut $crate::json::Reader<'_, 'de>) {
                        $(if index == Index::$field as usize {
                            return $crate::decode::record!(@read reader, self.$field $(, with $with)? $(, code $code)?);
                        })*
                    }
                    $(fn old<'t>(
                        &mut self,
                        key: &$crate::json::Key<'t>,
                        seen: &mut $crate::decode::Seen<'t>,
                        reader: &mut $crate::json::Reader<'t, 'de>,
                    ) -> bool {
                        match key.text.as_ref() {
                            $($old_wire | $old_alias => {
                                if seen.repeated(reader, key) {
                                    reader.skip();
                                } else if !reader.null() {
                                    let value: Option<$old_ty> = $crate::decode::Decode::decode(reader);
                                    self.folded.at = key.at;
                                    self.folded.$method(value);
                                }
                                true
                            })*
                            _ => false,
                        }
                    })?
                }

                #[allow(private_interfaces, reason = "sealed trait")]
                impl<'de $(: $lt, $lt)?> $crate::decode::Decode<'de> for $name $(<$lt>)?
                $(where 'de: $lt, $lt: 'de)?
                {
                    fn decode(reader: &mut $crate::json::Reader<'_, 'de>) -> Option<Self> {
                        let mut read = Partial { $($field: None,)* $(folded: <$old>::default(),)? };
                        #[cfg(not(target_arch = "wasm32"))]
                        let at = $crate::decode::read_object(reader, SHAPE, &mut read)?;
                        #[cfg(target_arch = "wasm32")]
                        let at = $crate::decode::read_object::<dyn $crate::decode::Members<'de>>(reader, SHAPE, &mut read)?;
                        let _ = at;
                        $(read.folded.into_fields(reader, at, $(&mut read.$into),*);)?
                        $(if reader.position() - at > $bytes {
                            $crate::json::value::too_large(reader, at, concat!("this document of bytes (", $label, ")"), $bytes);
                        })?
                        Some(Self { $($field: $crate::decode::record!(@take read.$field $(, $code)?),)* })
                    }
                }
            });

            impl $(<$lt>)? $crate::decode::Merge for $name $(<$lt>)? {
                fn merge(&mut self, other: &Self) {
                    $($crate::decode::Merge::merge(&mut self.$field, &other.$field);)*
                    $crate::decode::record!(@merge $unknown, self, other);
                }
            }

            impl $(<$lt>)? serde::Serialize for $name $(<$lt>)? {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    use serde::ser::SerializeMap as _;
                    let mut map = serializer.serialize_map(None)?;
                    $($crate::decode::record!(@write map, $wire, self.$field $(, $code)?);)*
                    $crate::decode::record!(@write_extra $unknown, self, map);
                    map.end()
                }
            }

            #[cfg(feature = "schema")]
            impl $(<$lt>)? schemars::JsonSchema for $name $(<$lt>)? {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }
                fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    $crate::schema::object(
                        concat!($($doc, "\n"),*),
                        vec![$((
                            $wire,
                            concat!($($fdoc, "\n"),*),
                            generator.subschema_for::<$crate::decode::record!(@schema $ty $($(, $schema)?)?)>(),
                            $crate::decode::record!(@is_required $($code)?),
                        ),)*],
                        vec![$($(($old_wire, generator.subschema_for::<Option<$old_ty>>()),)*)?],
                        $crate::decode::record!(@open $unknown),
                        generator,
                    )
                }
            }
        };
    };

    (@spelling $field:ident $wire:literal) => { stringify!($field) };
    (@spelling $field:ident $wire:literal only) => { $wire };
    (@schema $ty:ty) => { $ty };
    (@schema $ty:ty, $schema:ty) => { $schema };
    (@slot $ty:ty) => { $ty };
    (@slot $ty:ty, $code:ident) => { Option<$ty> };
    (@when (Default) { $($yes:tt)* } else { $($no:tt)* }) => { $($yes)* };
    (@when () { $($yes:tt)* } else { $($no:tt)* }) => { $($no)* };
    (@block blocks) => {
        fn block(&mut self, name: $crate::decode::Text<'de>, reader: &mut $crate::json::Reader<'_, 'de>) {
            if let Some(block) = $crate::decode::Decode::decode(reader) {
                self.blocks.push((name, block));
            }
        }
    };
    (@block $unknown:ident) => {};
    (@read $reader:ident, $self:ident.$field:ident) => { $crate::decode::Slot::read(&mut $self.$field, $reader) };
    (@read $reader:ident, $self:ident.$field:ident, with $with:path) => {
        $crate::decode::read_with(&mut $self.$field, $reader, $with)
    };
    (@read $reader:ident, $self:ident.$field:ident, code $code:ident) => {
        $crate::decode::read_required($reader, $crate::Code::$code, &mut |reader| {
            $crate::decode::Slot::read(&mut $self.$field, reader);
            $self.$field.is_some()
        })
    };
    (@take $read:ident.$field:ident) => { $read.$field };
    (@take $read:ident.$field:ident, $code:ident) => { $read.$field? };
    (@merge blocks, $self:ident, $other:ident) => { $self.merge_blocks($other) };
    (@merge $unknown:ident, $self:ident, $other:ident) => {};
    (@write $map:ident, $wire:literal, $self:ident.$field:ident) => {
        if let Some(value) = &$self.$field { $map.serialize_entry($wire, value)?; }
    };
    (@write $map:ident, $wire:literal, $self:ident.$field:ident, $code:ident) => {
        $map.serialize_entry($wire, &$self.$field)?;
    };
    (@write_extra blocks, $self:ident, $map:ident) => {
        for (name, block) in &$self.blocks { $map.serialize_entry(name, block)?; }
    };
    (@write_extra $unknown:ident, $self:ident, $map:ident) => {};
    (@is_required) => { false };
    (@is_required $code:ident) => { true };
    (@open refuse) => { $crate::schema::Others::Refused };
    (@open file) => { $crate::schema::Others::RefusedInFile };
    (@open ignore) => { $crate::schema::Others::Ignored };
    (@open blocks) => { $crate::schema::Others::Blocks };
}

pub(crate) use record;

impl Seen<'_> {
    /// Whether a field was never seen: a faulty one is not missing.
    pub(crate) fn absent(&self, index: usize) -> bool {
        (self.first | self.second) & (1_u64 << index) == 0
    }
}
