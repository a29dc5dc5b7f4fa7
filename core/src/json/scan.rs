//! Looking for the bytes at which a JSON text ends or needs care.

/// The first `"`, `\` or control character from `from` on, or the end.
///
/// Long texts are passed over in blocks that the compiler compares with vector instructions, where
/// there are any.
pub(crate) fn find_special(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    #[cfg(not(target_arch = "wasm32"))]
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        let hits = block.iter().fold(0, |hits, byte| hits | hit_of(*byte));
        if hits != 0 {
            break;
        }
        at += 32;
    }
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        match special_in(*chunk) {
            Some(offset) => return at + offset,
            None => at += 8,
        }
    }
    find_in_tail(bytes, at)
}

/// The first special byte among the first sixteen, unless the text is about to end.
///
/// Eight bytes are searched at once: a byte is found by the borrow it makes in a subtraction, and
/// the lowest match is exact, which is all that is asked.
pub(crate) fn special_in_16(rest: &[u8]) -> Option<usize> {
    let (first, behind) = rest.split_first_chunk::<8>()?;
    match special_in(*first) {
        None => special_in(*behind.first_chunk::<8>()?).map(|offset| 8 + offset),
        found => found,
    }
}

/// Whether a text holds no `"`, `\` or control character: most do not, and this asks no more than
/// that. The last block overlaps the one before it, so that no tail is left.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else {
        return if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            is_plain_16(first, last)
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            is_plain_8(first, last)
        } else {
            !bytes.iter().any(is_special)
        };
    };
    let mut rest = bytes;
    while let Some((block, tail)) = rest.split_first_chunk::<64>() {
        if holds_special(block) {
            return false;
        }
        rest = tail;
    }
    while let Some((block, tail)) = rest.split_first_chunk::<16>() {
        if holds_special(block) {
            return false;
        }
        rest = tail;
    }
    rest.is_empty() || !holds_special(last)
}

/// The same in little code.
#[cfg(target_arch = "wasm32")]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    find_special(bytes, 0) == bytes.len()
}

/// The same of two halves.
pub(crate) fn is_plain_16(first: &[u8; 8], last: &[u8; 8]) -> bool {
    special_bits(*first) | special_bits(*last) == 0
}

/// The same of two halves.
pub(crate) fn is_plain_8([a, b, c, d]: &[u8; 4], [w, x, y, z]: &[u8; 4]) -> bool {
    special_bits([*a, *b, *c, *d, *w, *x, *y, *z]) == 0
}

/// Compared by the compiler's vector instructions, if it does not take the block apart.
#[cfg(not(target_arch = "wasm32"))]
#[inline(never)]
fn holds_special<const N: usize>(block: &[u8; N]) -> bool {
    block.iter().fold(0, |hits, byte| hits | hit_of(*byte)) != 0
}

/// 1 for a special byte, without a branch. With its second bit turned, `"` stands right behind the
/// control characters (and space where `"` stood), so that one comparison finds both.
fn hit_of(byte: u8) -> u8 {
    u8::from(byte ^ 2 < 0x21) | u8::from(byte == b'\\')
}

fn is_special(byte: &u8) -> bool {
    hit_of(*byte) != 0
}

/// The first `byte` from `from` on.
pub(crate) fn find_byte(bytes: &[u8], from: usize, byte: u8) -> Option<usize> {
    let mut at = from;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        if block.iter().fold(0_u8, |hits, &other| hits | u8::from(other == byte)) != 0 {
            break;
        }
        at += 64;
    }
    bytes.get(at..)?.iter().position(|&other| other == byte).map(|offset| at + offset)
}

/// The first special byte of eight.
#[cfg_attr(target_arch = "wasm32", inline(always))]
fn special_in(chunk: [u8; 8]) -> Option<usize> {
    let hits = special_bits(chunk);
    (hits != 0).then(|| (hits.trailing_zeros() / 8) as usize)
}

/// Zero if there is no special byte among eight; else the lowest bit stands in the first.
#[cfg_attr(target_arch = "wasm32", inline(always))]
fn special_bits(chunk: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(chunk);
    let turned = word ^ (ONES * 2);
    let slash = word ^ (ONES * u64::from(b'\\'));
    // No byte from 0x80 on is special, and neither XOR changes that bit.
    (turned.wrapping_sub(ONES * 0x21) | slash.wrapping_sub(ONES)) & !word & HIGH
}

/// The same in the last few bytes; four to eight clean ones are seen at once.
fn find_in_tail(bytes: &[u8], from: usize) -> usize {
    let tail = bytes.get(from..).unwrap_or_default();
    if let (Some([a, b, c, d]), Some([w, x, y, z]), true) =
        (tail.first_chunk::<4>(), tail.last_chunk::<4>(), tail.len() <= 8)
        && special_in([*a, *b, *c, *d, *w, *x, *y, *z]).is_none()
    {
        return bytes.len();
    }
    from + tail.iter().position(is_special).unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::{find_byte, find_special, is_plain, special_in_16};

    #[test]
    fn the_first_special_byte_is_found_at_every_place_and_length() {
        for length in 0..150 {
            let plain: Vec<u8> = (0..length).map(|at| b"a\xc3\xa9\x7f~ "[at % 6]).collect();
            assert_eq!(find_special(&plain, 0), length);
            assert!(is_plain(&plain));
            assert_eq!(find_byte(&plain, 0, b'"'), None);
            for at in 0..length {
                for special in [b'"', b'\\', 0, 0x1f] {
                    let mut bytes = plain.clone();
                    bytes[at] = special;
                    assert!(!is_plain(&bytes));
                    assert_eq!(find_byte(&bytes, at / 2, special), Some(at));
                    let near = length / 8 * 8 > at && at < 16;
                    assert_eq!(special_in_16(&bytes), near.then_some(at));
                    for from in 0..=at {
                        assert_eq!(find_special(&bytes, from), at, "{length} {at} {from}");
                    }
                    assert_eq!(find_special(&bytes, at + 1), length);
                }
            }
        }
    }
}
