//! Canonical text: RFC 8785 (JCS), the only writer of hashed text.
//!
//! Members are sorted by the UTF-16 code units of their names, numbers are written as ECMAScript
//! writes them, and text escapes only what JSON must escape. The identity writes its members in
//! an order that is sorted by construction (a test proves it), open maps are sorted here.

use std::cmp::Ordering;

use crate::decode::Decode as _;
use crate::finding::Refusal;
use crate::json::locate;
use crate::json::reader::{Profile, Reader};
use crate::json::text::JsonText;
use crate::json::value::{Map, Value};
use crate::order::sorted;

/// Names of up to this many members are sorted without an allocation.
const SMALL: usize = 32;

/// Room for most requests; larger documents grow by doubling.
const ROOM: usize = 4096;

/// The canonical text of any JSON document (RFC 8785).
///
/// `null` stays and numbers round to doubles, as the RFC says; nothing of the contract's fields is
/// looked at.
///
/// ```
/// use onepath_core::canonicalize;
///
/// let text = canonicalize(r#"{ "b": [1.0, 1e21, -0], "a": "é" }"#).unwrap();
/// assert_eq!(text, r#"{"a":"é","b":[1,1e+21,0]}"#);
/// ```
///
/// # Errors
///
/// What makes the text no JSON, or not one document everywhere: broken syntax, repeated members,
/// lone surrogates, numbers beyond a double, nesting beyond 64.
pub fn canonicalize(text: &str) -> Result<String, Refusal> {
    let mut reader = Reader::new(text, Profile::Any);
    let value = Value::decode(&mut reader);
    reader.end();
    let faults = reader.into_faults();
    match value {
        Some(value) if faults.is_empty() => {
            let mut out = JsonText::with_capacity(text.len());
            write_value(&mut out, &value);
            Ok(out.into_string())
        }
        _ => Err(Refusal::new(locate::resolve(text, faults))),
    }
}

/// The canonical text of a value.
#[must_use]
pub fn canonical_value(value: &Value<'_>) -> String {
    let mut out = JsonText::with_capacity(ROOM);
    write_value(&mut out, value);
    let mut text = out.into_string();
    if text.len() < ROOM / 2 {
        text.shrink_to_fit();
    }
    text
}

/// Inlined, so that only lists and maps cost a call.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
pub(crate) fn write_value(out: &mut JsonText, value: &Value<'_>) {
    match value {
        Value::Null => out.raw("null"),
        Value::Bool(true) => out.raw("true"),
        Value::Bool(false) => out.raw("false"),
        Value::Number(number) => write_number(out, *number),
        Value::Text(text) => out.text(text),
        Value::List(items) => write_values(out, items),
        Value::Map(map) => write_map(out, map),
    }
}

fn write_values(out: &mut JsonText, items: &[Value<'_>]) {
    write_list(out, items, |out, item| write_value(out, item));
}

pub(crate) fn write_list<T>(out: &mut JsonText, items: &[T], write: impl Fn(&mut JsonText, &T)) {
    out.ascii(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.ascii(b',');
        }
        write(out, item);
    }
    out.ascii(b']');
}

fn write_map(out: &mut JsonText, map: &Map<'_>) {
    out.ascii(b'{');
    let mut first = true;
    for_each_sorted(map, |name, value| {
        out.name(name, &mut first);
        write_value(out, value);
    });
    out.ascii(b'}');
}

/// Visits the members of a map in canonical order.
pub(crate) fn for_each_sorted<'m>(map: &'m Map<'_>, mut visit: impl FnMut(&'m str, &'m Value<'m>)) {
    let entries = map.entries();
    let name = |index: usize| entries.get(index).map_or("", |(name, _)| name.as_ref());
    let visit = |index: usize| {
        if let Some((name, value)) = entries.get(index) {
            visit(name, value);
        }
    };
    in_utf16_order(entries.len(), name, visit);
}

/// Visits the places of names in the order of the names.
pub(crate) fn in_utf16_order<'n>(
    count: usize,
    name: impl Fn(usize) -> &'n str,
    mut visit: impl FnMut(usize),
) {
    // Compiled once for all in a module for browsers, and for each where speed counts.
    #[cfg(target_arch = "wasm32")]
    visit_sorted::<dyn Fn(usize) -> &'n str, dyn FnMut(usize)>(count, &name, &mut visit);
    #[cfg(not(target_arch = "wasm32"))]
    visit_sorted(count, &name, &mut visit);
}

fn visit_sorted<'n, N, V>(count: usize, name: &N, visit: &mut V)
where
    N: Fn(usize) -> &'n str + ?Sized,
    V: FnMut(usize) + ?Sized,
{
    let mut small = [0_u64; SMALL];
    if let Some(order) = small.get_mut(..count) {
        sort_small(order, name);
        for place in order {
            visit(index_of(*place));
        }
    } else {
        for index in sorted(count, &mut |one, other| utf16_order(name(one), name(other))) {
            visit(index);
        }
    }
}

/// Sorts the places of names: the first seven bytes of a name, which tell most names apart, above
/// its index.
fn sort_small<'n, F: Fn(usize) -> &'n str + ?Sized>(order: &mut [u64], name: &F) {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8000;
    let mut all = 0;
    for ((index, slot), place) in order.iter_mut().enumerate().zip(0_u64..) {
        let head = first_eight(name(index).as_bytes());
        all |= head;
        *slot = (head & !0xff) | place;
    }
    let name = |place: u64| name(index_of(place));
    let whole = |one: u64, other: u64| utf16_order(name(one), name(other));
    let ascii = all & HIGH_BITS == 0;
    let compare = |one: u64, other: u64| {
        if ascii && one ^ other > 0xff { one.cmp(&other) } else { whole(one, other) }
    };
    #[cfg(not(target_arch = "wasm32"))]
    order.sort_unstable_by(|&one, &other| compare(one, other));
    // A tenth of the code.
    #[cfg(target_arch = "wasm32")]
    for end in 1..order.len() {
        let mut at = end;
        while let Some([one, other]) = order.get_mut(at.wrapping_sub(1)..=at) {
            if compare(*one, *other).is_le() {
                break;
            }
            std::mem::swap(one, other);
            at -= 1;
        }
    }
}

fn index_of(place: u64) -> usize {
    (place & 0xff) as usize
}

/// The first eight bytes of a name as one number that sorts like them; zeros stand for what a
/// shorter name lacks.
fn first_eight(name: &[u8]) -> u64 {
    if let Some(chunk) = name.first_chunk::<8>() {
        return u64::from_be_bytes(*chunk);
    }
    if let (Some(first), Some(last)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        // The two overlap, and agree where they do.
        let [first, last] = [first, last].map(|chunk| u64::from(u32::from_be_bytes(*chunk)));
        return first << 32 | last << (8 * (8 - name.len()));
    }
    name.iter().zip([56, 48, 40]).fold(0, |head, (byte, shift)| head | u64::from(*byte) << shift)
}

/// The order of UTF-16 code units, on UTF-8 bytes.
///
/// The two differ in one case only: characters beyond U+FFFF (first byte from F0) are surrogate
/// pairs from D800 on in UTF-16 and so come before U+E000 to U+FFFF (first byte EE or EF).
pub(crate) fn utf16_order(left: &str, right: &str) -> Ordering {
    let differing = left.bytes().zip(right.bytes()).find(|(left, right)| left != right);
    match differing {
        None => left.len().cmp(&right.len()),
        Some((left, right)) => match (left >= 0xf0, right >= 0xf0) {
            (true, false) if right >= 0xee => Ordering::Less,
            (false, true) if left >= 0xee => Ordering::Greater,
            _ => left.cmp(&right),
        },
    }
}

/// A number as ECMAScript's `Number::toString` writes it.
pub(crate) fn number_text(number: f64) -> String {
    let mut out = JsonText::with_capacity(24);
    write_number(&mut out, number);
    out.into_string()
}

/// Writes a number as ECMAScript's `Number::toString` does (ECMA-262 §6.1.6.1.20).
///
/// A number that is not finite has no JSON text; such a value never reaches this place.
pub(crate) fn write_number(out: &mut JsonText, number: f64) {
    // Whole numbers that a double holds exactly are their decimal digits.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "checked to be exact"
    )]
    if number.abs() < 9_007_199_254_740_992.0 {
        let whole = number as i64;
        if whole as f64 == number {
            write_integer(out, whole);
            return;
        }
        // With up to three decimals: if dividing back gives the same double, these at most 15
        // digits are its shortest, because decimals of 15 digits name different doubles.
        let thousandths = number * 1000.0;
        if thousandths.abs() < 1e15 {
            let scaled = thousandths as i64;
            if scaled as f64 == thousandths && thousandths / 1000.0 == number {
                write_thousandths(out, scaled);
                return;
            }
        }
    }
    write_shortest(out, number);
}

pub(crate) fn write_integer(out: &mut JsonText, whole: i64) {
    if let Ok(digit @ 0..10) = u8::try_from(whole) {
        return out.ascii(b'0' + digit);
    }
    if whole < 0 {
        out.ascii(b'-');
    }
    let mut rest = whole.unsigned_abs();
    let mut digits = [0_u8; 20];
    let mut count = 0;
    for slot in &mut digits {
        *slot = u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    for digit in digits.iter().take(count).rev() {
        out.ascii(b'0' + digit);
    }
}

fn push_digit(out: &mut JsonText, digit: u64) {
    out.ascii(b'0' + u8::try_from(digit).unwrap_or(0));
}

fn write_thousandths(out: &mut JsonText, scaled: i64) {
    if scaled < 0 {
        out.ascii(b'-');
    }
    let size = scaled.unsigned_abs();
    write_integer(out, i64::try_from(size / 1000).unwrap_or(0));
    let decimals = size % 1000;
    out.ascii(b'.');
    push_digit(out, decimals / 100);
    if !decimals.is_multiple_of(100) {
        push_digit(out, decimals / 10 % 10);
        if !decimals.is_multiple_of(10) {
            push_digit(out, decimals % 10);
        }
    }
}

/// The shortest digits that read back as the same double, the nearest of them, and ECMAScript's n:
/// the digits stand for 0.d₁d₂… × 10ⁿ. The sign is left out.
pub(crate) fn shortest_digits(number: f64) -> (String, i32) {
    let mut buffer = zmij::Buffer::new();
    let printed = buffer.format_finite(number.abs());
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let digits = all.trim_start_matches('0');
    let zeros = i32::try_from(all.len() - digits.len()).unwrap_or(0);
    let point = i32::try_from(whole.len()).unwrap_or(0) + exponent - zeros;
    (digits.trim_end_matches('0').to_owned(), point)
}

/// Lays the shortest digits out as ECMAScript does.
fn write_shortest(out: &mut JsonText, number: f64) {
    let (digits, point) = shortest_digits(number);
    if number < 0.0 {
        out.ascii(b'-');
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let at = usize::try_from(point).unwrap_or(0);
    if count <= point && point <= 21 {
        out.raw(&digits);
        push_zeros(out, point - count);
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at_checked(at).unwrap_or((&digits, ""));
        out.raw(whole);
        out.ascii(b'.');
        out.raw(fraction);
    } else if -6 < point && point <= 0 {
        out.raw("0.");
        push_zeros(out, -point);
        out.raw(&digits);
    } else {
        let (head, tail) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        out.raw(head);
        if !tail.is_empty() {
            out.ascii(b'.');
            out.raw(tail);
        }
        out.raw(if point < 1 { "e-" } else { "e+" });
        write_integer(out, i64::from((point - 1).unsigned_abs()));
    }
}

fn push_zeros(out: &mut JsonText, count: i32) {
    for _ in 0..count {
        out.ascii(b'0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64) -> String {
        number_text(value)
    }

    /// RFC 8785, appendix B.
    #[test]
    fn numbers_of_the_rfc() {
        for (bits, expected) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(number(f64::from_bits(bits)), expected);
        }
        for (value, expected) in
            [(0.5, "0.5"), (0.001, "0.001"), (-12.34, "-12.34"), (0.1 + 0.2, "0.30000000000000004")]
        {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn names_sort_by_utf16() {
        let mut names = ["\u{fb33}", "\u{1f600}", "é", "z", "\u{e000}", "10", "1", "\r"];
        names.sort_unstable_by(|one, other| utf16_order(one, other));
        let mut expected = names;
        expected.sort_by_key(|name| name.encode_utf16().collect::<Vec<_>>());
        assert_eq!(names, expected);
    }
}
