//! Numbers of JSON text, and the two kinds of number that fields hold.

use serde::Serialize;

use crate::limits;

/// A number as it stands and what it is worth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parsed<'a> {
    pub(crate) text: &'a str,
    pub(crate) value: f64,
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Reads the JSON number that starts at `at`; `None` if there is none.
///
/// With at most 15 digits and a small exponent one multiplication or division of two exact
/// doubles rounds correctly (Clinger 1990); everything else goes to the standard library, which
/// rounds correctly too.
pub(crate) fn parse(text: &str, at: usize) -> Option<Parsed<'_>> {
    // Most numbers are short and whole.
    let rest = text.as_bytes().get(at..)?;
    let (mut whole, mut count) = (0_u32, 0);
    for byte in rest.iter().take(9).take_while(|byte| byte.is_ascii_digit()) {
        whole = whole * 10 + u32::from(byte - b'0');
        count += 1;
    }
    let ends = !matches!(rest.get(count), Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
    if ends && count > 0 && (count == 1 || rest.first() != Some(&b'0')) {
        return Some(Parsed { text: text.get(at..at + count)?, value: f64::from(whole) });
    }
    parse_any(text, at)
}

/// The same for every number.
#[inline(never)]
fn parse_any(text: &str, at: usize) -> Option<Parsed<'_>> {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let mut pos = at;
    let negative = byte(pos) == b'-';
    pos += usize::from(negative);
    let mut mantissa = 0_u64;
    let mut digits = 0_usize;
    let first = pos;
    while byte(pos).is_ascii_digit() {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte(pos) - b'0'));
        digits += 1;
        pos += 1;
    }
    if pos == first || (byte(first) == b'0' && pos > first + 1) {
        return None;
    }
    let mut exponent = 0_i64;
    if byte(pos) == b'.' {
        pos += 1;
        let fraction = pos;
        while byte(pos).is_ascii_digit() {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte(pos) - b'0'));
            digits += 1;
            pos += 1;
        }
        if pos == fraction {
            return None;
        }
        exponent -= i64::try_from(pos - fraction).ok()?;
    }
    if matches!(byte(pos), b'e' | b'E') {
        pos += 1;
        let down = byte(pos) == b'-';
        if matches!(byte(pos), b'+' | b'-') {
            pos += 1;
        }
        let power = pos;
        let mut value = 0_i64;
        while byte(pos).is_ascii_digit() {
            value = value.saturating_mul(10).saturating_add(i64::from(byte(pos) - b'0'));
            pos += 1;
        }
        if pos == power {
            return None;
        }
        exponent = exponent.saturating_add(if down { value.saturating_neg() } else { value });
    }
    let slice = text.get(at..pos)?;
    let power = usize::try_from(exponent.unsigned_abs()).ok().and_then(|power| POWERS.get(power));
    let value = match power {
        Some(&power) if digits <= 15 => {
            #[allow(clippy::cast_precision_loss, reason = "at most 15 digits: exact")]
            let mantissa = mantissa as f64;
            let size = if exponent < 0 { mantissa / power } else { mantissa * power };
            if negative { -size } else { size }
        }
        _ => any_number(slice, exponent)?,
    };
    // −0 is 0.
    Some(Parsed { text: slice, value: if value == 0.0 { 0.0 } else { value } })
}

#[cfg(not(target_arch = "wasm32"))]
fn any_number(text: &str, _: i64) -> Option<f64> {
    text.parse().ok()
}

/// The same without the tables of the standard library.
#[cfg(target_arch = "wasm32")]
fn any_number(text: &str, exponent: i64) -> Option<f64> {
    let mantissa = text.bytes().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let size = super::decimal::nearest(mantissa.filter(u8::is_ascii_digit), exponent)?;
    Some(if text.starts_with('-') { -size } else { size })
}

/// A finite number within ±(2^53−1): what a number field holds.
///
/// On the wire `5` and `5.0` are the same number, and it is written `5`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Number(f64);

impl Number {
    /// The number, unless it is out of range.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (value.abs() <= limits::SAFE_INTEGER).then_some(Self(if value == 0.0 {
            0.0
        } else {
            value
        }))
    }

    /// Its value.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self(f64::from(value))
    }
}

impl From<Integer> for Number {
    fn from(value: Integer) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "within ±(2^53−1): exact")]
        Self(value.0 as f64)
    }
}

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Integer::from_f64(self.0) {
            Some(whole) => serializer.serialize_i64(whole.get()),
            None => serializer.serialize_f64(self.0),
        }
    }
}

/// A whole number within ±(2^53−1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Integer(i64);

impl Integer {
    /// The number, unless it is out of range.
    #[must_use]
    pub fn new(value: i64) -> Option<Self> {
        (value.unsigned_abs() <= limits::SAFE_INTEGER_U64).then_some(Self(value))
    }

    /// The whole number that a double is.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
        (value.trunc() == value && value.abs() <= limits::SAFE_INTEGER)
            .then_some(Self(value as i64))
    }

    /// Its value.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl From<i32> for Integer {
    fn from(value: i32) -> Self {
        Self(i64::from(value))
    }
}

impl Serialize for Integer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Integer, Number};

    const LIMIT: i64 = 9_007_199_254_740_991;

    impl JsonSchema for Number {
        fn inline_schema() -> bool {
            true
        }
        fn schema_name() -> Cow<'static, str> {
            "Number".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "number", "minimum": -LIMIT, "maximum": LIMIT })
        }
    }

    impl JsonSchema for Integer {
        fn inline_schema() -> bool {
            true
        }
        fn schema_name() -> Cow<'static, str> {
            "Integer".into()
        }
        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "integer", "minimum": -LIMIT, "maximum": LIMIT })
        }
    }
}
