//! `words!`: closed sets of words, and the nearest word to a wrong one.

use crate::codes::Code;
use crate::finding::{Finding, listed};
use crate::json::reader::Reader;

/// Reads one of a closed set of words; `""` counts as absent, another word is a fault.
/// Its place among them is given, so that all sets share this code.
pub(crate) fn decode_word(
    reader: &mut Reader<'_, '_>,
    words: &[&'static str],
    code: Code,
) -> Option<usize> {
    let at = reader.start();
    let text = reader.string("text")?;
    if let Some(index) = place_of(&text, words) {
        return Some(index);
    }
    if !text.is_empty() {
        let finding = Finding::new(code, "")
            .nearest(nearest(&text, words))
            .arg(text.into_owned())
            .arg(listed(words.iter().copied()))
            .at(at..reader.position());
        reader.fault(at, finding);
    }
    None
}

/// The place of a word among its set.
pub(crate) fn place_of(text: &str, words: &[&'static str]) -> Option<usize> {
    words.iter().position(|word| *word == text)
}

/// The known name nearest to a wrong one, unless none is near.
pub(crate) fn nearest(wrong: &str, known: &[&'static str]) -> Option<&'static str> {
    if wrong.len() > 64 {
        return None;
    }
    let fold = |text: &str| text.to_ascii_lowercase().replace(['_', '-', ' '], "");
    let folded = fold(wrong);
    known
        .iter()
        .map(|name| (distance(&folded, &fold(name)), *name))
        .filter(|(distance, name)| *distance <= 1 + crate::unicode::count(name) / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Optimal string alignment distance: insert, delete, replace, or swap two neighbours.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut last_left = None;
    for (i, l) in left.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        let mut last_right = None;
        for (j, &r) in right.iter().enumerate() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let replace = get(&row, j) + usize::from(l != r);
            let mut best = replace.min(get(&row, j + 1) + 1).min(get(&next, j) + 1);
            if j > 0 && last_left == Some(r) && last_right == Some(l) {
                best = best.min(get(&before, j - 1) + 1);
            }
            next.push(best);
            last_right = Some(r);
        }
        before = std::mem::replace(&mut row, next);
        last_left = Some(l);
    }
    row.last().copied().unwrap_or(0)
}

/// Declares a closed set of words.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident : $code:ident {
            $($(#[doc = $doc:literal])* $variant:ident = $word:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
        }

        impl $name {
            /// Every word with its value, in order.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$variant),)*];
            const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word on the wire.
            #[must_use]
            pub fn word(self) -> &'static str {
                Self::WORDS.get(self as usize).copied().unwrap_or_default()
            }

            /// The value of a word, spelled exactly.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::at($crate::decode::place_of(word, Self::WORDS)?)
            }

            #[allow(dead_code, reason = "used where a row has a code of its own")]
            pub(crate) fn decode_as(
                reader: &mut $crate::json::Reader<'_, '_>,
                code: $crate::Code,
            ) -> Option<Self> {
                Self::at($crate::decode::decode_word(reader, Self::WORDS, code)?)
            }

            fn at(index: usize) -> Option<Self> {
                Self::ALL.get(index).map(|(_, value)| *value)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        #[allow(private_interfaces, reason = "sealed trait")]
        impl<'a> $crate::decode::Decode<'a> for $name {
            fn decode(reader: &mut $crate::json::Reader<'_, 'a>) -> Option<Self> {
                Self::decode_as(reader, $crate::Code::$code)
            }
        }

        impl $crate::decode::Merge for $name {}

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::words(&[$(($word, concat!($($doc, "\n"),*)),)*])
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_finds_slips_and_other_spellings_only() {
        let known = ["moodFrom", "moodTo", "pacing", "transitionType"];
        assert_eq!(nearest("moodFrm", &known), Some("moodFrom"));
        assert_eq!(nearest("Mood-From", &known), Some("moodFrom"));
        assert_eq!(nearest("pacign", &known), Some("pacing"));
        assert_eq!(nearest("weather", &known), None);
    }
}
