//! Numbers that look like chance and are not, and curves without floating point: the same on every
//! machine.

/// A number that depends on two others.
pub(crate) fn mix(seed: u64, value: u64) -> u64 {
    // The finalizer of SplitMix64.
    let mut z = seed.wrapping_add(value.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number from 0 to below `most`.
pub(crate) fn pick(seed: u64, value: u64, most: i32) -> i32 {
    (mix(seed, value) % u64::from(most.max(1) as u32)) as i32
}

/// A number that stands for a text (FNV-1a).
pub(crate) fn of_text(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    })
}

/// A wave: phase 1024 is a whole turn; from −1024 to 1024.
pub(crate) fn wave(phase: i32) -> i32 {
    let phase = phase & 1023;
    let half = phase & 511;
    let arch = half * (512 - half) / 64;
    if phase < 512 { arch } else { -arch }
}

/// A smooth line through points that lie `length` apart; 0 to 1023.
pub(crate) fn smooth(seed: u64, x: i32, length: i32) -> i32 {
    let length = length.max(1);
    let (cell, part) = (x.div_euclid(length), x.rem_euclid(length));
    let [left, right] = [cell, cell + 1].map(|cell| pick(seed, cell as u64, 1024));
    let t = part * 256 / length;
    let eased = t * t * (768 - 2 * t) / 65_536;
    left + (right - left) * eased / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_turns_once() {
        assert_eq!([0, 256, 512, 768, 1024].map(wave), [0, 1024, 0, -1024, 0]);
    }

    #[test]
    fn smooth_lines_have_no_jumps() {
        for x in -500..500 {
            assert!((smooth(7, x, 64) - smooth(7, x + 1, 64)).abs() < 48);
            assert!((0..1024).contains(&smooth(7, x, 64)));
        }
    }
}
