//! `record!`: one declaration of an object that travels.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::codes::Code;
use crate::decode::{Decode, nearest};
use crate::finding::Finding;
use crate::json::reader::{Key, Reader};

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
    /// Members that are no fields: the first of them in a list, more in a set.
    few: Vec<Cow<'a, str>>,
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Notes a member that is no field; false if it was there before.
    fn insert(&mut self, key: &Key<'a>) -> bool {
        const FEW: usize = 16;
        if self.few.contains(&key.text) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(key.text.clone());
            return true;
        }
        self.many.insert(key.text.clone())
    }
}

impl<'a> Seen<'a> {
    /// Notes a field; false if it was there before, which is a fault.
    #[inline]
    pub(crate) fn mark(
        &mut self,
        reader: &mut Reader<'a>,
        key: &Key<'a>,
        index: u32,
        second: bool,
        spelling: &'static str,
    ) -> bool {
        let bit = 1_u64 << index;
        if !second && (self.first | self.second) & bit == 0 {
            self.first |= bit;
            return true;
        }
        self.mark_again(reader, key, bit, second, spelling)
    }

    /// A field in another spelling, or one that was there before.
    #[inline(never)]
    fn mark_again(
        &mut self,
        reader: &mut Reader<'a>,
        key: &Key<'a>,
        bit: u64,
        second: bool,
        spelling: &'static str,
    ) -> bool {
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
        reader.fault(key.at, Finding::new(code, "").arg(name).arg(spelling).at(key.at..end));
        reader.skip();
        false
    }

    /// Notes a member that is no field; true if it stood there before, which is a fault.
    pub(crate) fn repeated(&mut self, reader: &mut Reader<'a>, key: &Key<'a>) -> bool {
        if !self.names.get_or_insert_default().insert(key) {
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
    fn read(&mut self, reader: &mut Reader<'a>);
}

impl<'a, T: Decode<'a>> Slot<'a> for Option<T> {
    fn read(&mut self, reader: &mut Reader<'a>) {
        if !reader.null() {
            *self = T::decode(reader);
        }
    }
}

/// A member that is no field, in an object that refuses them.
#[cold]
pub(crate) fn unknown_field<'a>(
    reader: &mut Reader<'a>,
    key: &Key<'a>,
    label: &'static str,
    names: &[&'static str],
) {
    let end = reader.position();
    let finding = Finding::new(Code::JsonUnknownField, "")
        .arg(key.text.clone().into_owned())
        .arg(label)
        .nearest(nearest(&key.text, names))
        .at(key.at..end);
    reader.fault(key.at, finding);
    reader.skip();
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
            /// Each field's number, for the set of fields seen.
            #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "named as the fields")]
            #[repr(u32)]
            enum Index { $($field,)* }

            /// Each field's snake_case spelling.
            #[allow(non_upper_case_globals, reason = "named as the fields")]
            mod spelling {
                $(pub(super) const $field: &str = $crate::decode::record!(@spelling $field $wire $($only)?);)*
            }

            #[allow(dead_code, reason = "records that ignore other members suggest none")]
            const NAMES: &[&str] = &[$($wire,)*];

            #[allow(private_interfaces, reason = "sealed trait")]
            impl<'de $(: $lt, $lt)?> $crate::decode::Decode<'de> for $name $(<$lt>)?
            $(where 'de: $lt, $lt: 'de)?
            {
                #[allow(unreachable_patterns, reason = "the two spellings of one word are the same")]
                fn decode(reader: &mut $crate::json::Reader<'de>) -> Option<Self> {
                    let at = reader.start();
                    if !reader.open_object("an object") {
                        return None;
                    }
                    let mut seen = $crate::decode::Seen::default();
                    $(let mut $field: $crate::decode::record!(@slot $ty $(, $code)?) = None;)*
                    #[allow(unused_mut, reason = "only a style collects other members")]
                    let mut extra = $crate::decode::record!(@extra $unknown);
                    $(let mut folded = <$old>::default();)?
                    let mut first = true;
                    while let Some(key) = reader.next_key(&mut first) {
                        // First which field it is, then its value: one place reads it, however it
                        // is spelled.
                        let (index, second, wire) = match key.text.as_ref() {
                            $($wire => (Index::$field as u32, false, $wire),)*
                            $(spelling::$field $(| $alias)* => (Index::$field as u32, true, $wire),)*
                            $($($old_wire | $old_alias => {
                                if seen.repeated(reader, &key) {
                                    reader.skip();
                                } else if !reader.null() {
                                    let value: Option<$old_ty> = $crate::decode::Decode::decode(reader);
                                    folded.at = key.at;
                                    folded.$method(value);
                                }
                                continue;
                            })*)?
                            _ => {
                                $crate::decode::record!(@unknown $unknown, reader, seen, key, extra, $label, NAMES);
                                continue;
                            }
                        };
                        if seen.mark(reader, &key, index, second, wire) {
                            $(if index == Index::$field as u32 {
                                $crate::decode::record!(@read reader, $field $(, with $with)? $(, code $code)?);
                                continue;
                            })*
                        }
                    }
                    $($(if $field.is_none() && seen.absent(Index::$field as u32) && !reader.is_broken() {
                        reader.missing(at, $wire, $crate::Code::$code);
                    })?)*
                    $(folded.into_fields(reader, at, $(&mut $into),*);)?
                    $(if reader.position() - at > $bytes {
                        $crate::json::value::too_large(reader, at, concat!("this document of bytes (", $label, ")"), $bytes);
                    })?
                    let _ = at;
                    $crate::decode::record!(@make $unknown, extra, $($field $(($code))?),*)
                }
            }

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
    (@extra blocks) => { Vec::new() };
    (@extra $unknown:ident) => { () };
    (@read $reader:ident, $field:ident) => { $crate::decode::Slot::read(&mut $field, $reader) };
    (@read $reader:ident, $field:ident, with $with:path) => {
        if !$reader.null() { $field = $with($reader); }
    };
    (@read $reader:ident, $field:ident, code $code:ident) => {{
        // `null`, and an empty word, say that a field is absent; this one must be there.
        let (start, before) = ($reader.start(), $reader.fault_count());
        $crate::decode::Slot::read(&mut $field, $reader);
        if $field.is_none() && $reader.fault_count() == before {
            $reader.absent(start, $crate::Code::$code);
        }
    }};
    (@unknown refuse, $reader:ident, $seen:ident, $key:ident, $extra:ident, $label:literal, $names:ident) => {{
        let () = $extra;
        if $seen.repeated($reader, &$key) {
            $reader.skip();
        } else {
            $crate::decode::unknown_field($reader, &$key, $label, $names);
        }
    }};
    (@unknown file, $reader:ident, $seen:ident, $key:ident, $extra:ident, $label:literal, $names:ident) => {
        if $key.text == "$schema" && $reader.at_top() {
            let _ = $seen.repeated($reader, &$key);
            if !$reader.null() {
                let _ = $reader.string("text");
            }
        } else {
            $crate::decode::record!(@unknown refuse, $reader, $seen, $key, $extra, $label, $names)
        }
    };
    (@unknown ignore, $reader:ident, $seen:ident, $key:ident, $extra:ident, $label:literal, $names:ident) => {{
        let () = $extra;
        let _ = $seen.repeated($reader, &$key);
        $reader.skip();
    }};
    (@unknown blocks, $reader:ident, $seen:ident, $key:ident, $extra:ident, $label:literal, $names:ident) => {
        if $seen.repeated($reader, &$key) {
            $reader.skip();
        } else if crate::config::is_block_name(&$key.text) && $reader.peek() == b'n' {
            $reader.null();
        } else if crate::config::is_block_name(&$key.text) && $reader.peek() == b'{' {
            if let Some(block) = $crate::decode::Decode::decode($reader) {
                $extra.push(($key.text, block));
            }
        } else {
            $crate::decode::unknown_field($reader, &$key, $label, $names);
        }
    };
    (@make blocks, $extra:ident, $($field:ident $(($code:ident))?),*) => {
        Some(Self { $($field: $crate::decode::record!(@take $field $($code)?),)* blocks: $extra })
    };
    (@make $unknown:ident, $extra:ident, $($field:ident $(($code:ident))?),*) => {{
        let () = $extra;
        Some(Self { $($field: $crate::decode::record!(@take $field $($code)?),)* })
    }};
    (@take $field:ident) => { $field };
    (@take $field:ident $code:ident) => { $field? };
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
    pub(crate) fn absent(&self, index: u32) -> bool {
        (self.first | self.second) & (1_u64 << index) == 0
    }
}
