//! The double nearest to a decimal number, in little code.
//!
//! The standard library does this faster with ten kilobytes of tables. A module for browsers, where
//! numbers of more than 15 digits are rare, carries this instead; tests hold the two together.

use std::cmp::Ordering;

/// More digits than any double needs to be told from its neighbours; a last one stands for the rest.
const DIGITS: usize = 800;

/// The nearest double of `digits` (those of the number, without point) times ten to `exponent`,
/// ties to even; `None` for what is no digit. Beyond the largest double it is infinite.
pub(crate) fn nearest(digits: impl Iterator<Item = u8>, exponent: i64) -> Option<f64> {
    let (mut number, mut power) = (Big::default(), exponent);
    let (mut count, mut rest) = (0, false);
    for digit in digits {
        let digit = char::from(digit).to_digit(10)?;
        if count < DIGITS {
            number.times_ten_plus(digit);
            count += usize::from(count > 0 || digit > 0);
        } else {
            power = power.saturating_add(1);
            rest |= digit > 0;
        }
    }
    if rest {
        number.times_ten_plus(1);
        power = power.saturating_sub(1);
        count += 1;
    }
    let size = power.saturating_add(i64::try_from(count).ok()?);
    if count == 0 || size < -330 {
        return Some(0.0);
    }
    if size > 320 {
        return Some(f64::INFINITY);
    }
    let mut divisor = Big(vec![1]);
    for _ in 0..power.unsigned_abs() {
        if power > 0 { &mut number } else { &mut divisor }.times_ten_plus(0);
    }
    Some(quotient(number, divisor))
}

/// The double nearest to `number / divisor`, by long division.
fn quotient(mut number: Big, mut divisor: Big) -> f64 {
    // The quotient becomes one in [1, 2), times two to `power`.
    let mut power = number.bits() - divisor.bits();
    if power > 0 { &mut divisor } else { &mut number }.double(power.unsigned_abs());
    if number.compare(&divisor) == Ordering::Less {
        number.double(1);
        power -= 1;
    }
    if power > 1023 {
        return f64::INFINITY;
    }
    // Small doubles have fewer bits; below half of the smallest there is only 0.
    let bits = (power + 1075).min(53);
    if bits < 0 {
        return 0.0;
    }
    let mut mantissa = 0_u64;
    for _ in 0..bits {
        mantissa <<= 1;
        if number.compare(&divisor) != Ordering::Less {
            number.subtract(&divisor);
            mantissa |= 1;
        }
        number.double(1);
    }
    // What is left, doubled, against the divisor: above or below the middle of two doubles.
    let up = match number.compare(&divisor) {
        Ordering::Greater => true,
        Ordering::Equal => mantissa & 1 == 1,
        Ordering::Less => false,
    };
    mantissa += u64::from(up);
    // A carry out of the mantissa is one more in the exponent, which is what is meant.
    let whole = if bits == 53 { u64::from((power + 1022).unsigned_abs()) << 52 } else { 0 };
    f64::from_bits(whole + mantissa)
}

/// A whole number of any size, its lowest 32 bits first.
#[derive(Debug, Clone, Default)]
struct Big(Vec<u32>);

impl Big {
    fn times_ten_plus(&mut self, digit: u32) {
        let mut carry = u64::from(digit);
        for word in &mut self.0 {
            let value = u64::from(*word) * 10 + carry;
            *word = low(value);
            carry = value >> 32;
        }
        if carry > 0 {
            self.0.push(low(carry));
        }
    }

    fn double(&mut self, times: u32) {
        if times >= 32 {
            let mut moved = vec![0; usize::try_from(times / 32).unwrap_or(0)];
            moved.append(&mut self.0);
            self.0 = moved;
        }
        let mut carry = 0;
        for word in &mut self.0 {
            let value = (u64::from(*word) << (times % 32)) | carry;
            *word = low(value);
            carry = value >> 32;
        }
        if carry > 0 {
            self.0.push(low(carry));
        }
    }

    fn bits(&self) -> i32 {
        let top = self.0.last().map_or(0, |word| 32 - word.leading_zeros());
        i32::try_from(self.0.len()).unwrap_or(0) * 32 - 32 + i32::try_from(top).unwrap_or(0)
    }

    fn compare(&self, other: &Self) -> Ordering {
        let of_words = || self.0.iter().rev().cmp(other.0.iter().rev());
        self.0.len().cmp(&other.0.len()).then_with(of_words)
    }

    /// Takes a smaller one away.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = 0;
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        for (word, other) in self.0.iter_mut().zip(others) {
            let value = (u64::from(*word)).wrapping_sub(u64::from(other) + borrow);
            *word = low(value);
            borrow = value >> 63;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn low(value: u64) -> u32 {
    value as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::nearest;

    fn read(digits: &str, exponent: i64) -> f64 {
        nearest(digits.bytes(), exponent).unwrap()
    }

    #[test]
    fn edges() {
        assert_eq!(read("0", 400), 0.0);
        assert_eq!(read("1", 309), f64::INFINITY);
        assert_eq!(read("17976931348623157", 292), f64::MAX);
        assert_eq!(
            read("17976931348623158079372897140530341507993413271003782693617377898044", 241),
            f64::MAX
        );
        assert_eq!(read("17976931348623159", 292), f64::INFINITY);
        assert_eq!(read("5", -324), 5e-324);
        assert_eq!(read("24703282292062327", -340), 0.0);
        assert_eq!(read("24703282292062328", -340), 5e-324);
        assert_eq!(read("22250738585072011", -324), 2.225_073_858_507_201e-308);
        assert_eq!(read("22250738585072014", -324), f64::MIN_POSITIVE);
        assert_eq!(read("9007199254740993", 0), 9_007_199_254_740_992.0);
        assert_eq!(
            read(&format!("9007199254740993{}1", "0".repeat(900)), -901),
            9_007_199_254_740_994.0
        );
        assert_eq!(read("1", i64::MAX), f64::INFINITY);
        assert_eq!(read("1", i64::MIN), 0.0);
        assert_eq!(nearest(b"1.5".iter().copied(), 0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn as_the_standard_library(digits in "[0-9]{1,40}", exponent in -400_i64..400) {
            let expected: f64 = format!("{digits}e{exponent}").parse().unwrap();
            prop_assert_eq!(read(&digits, exponent).to_bits(), expected.to_bits());
        }

        /// Every double comes back from more digits than it needs, and so do the middles.
        #[test]
        fn every_double(bits in any::<u64>(), digits in 16_usize..40) {
            let number = f64::from_bits(bits).abs();
            prop_assume!(number.is_finite());
            let text = format!("{number:.digits$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap();
            let exponent: i64 = exponent.parse().unwrap();
            let plain = mantissa.replace('.', "");
            let read = read(&plain, exponent - i64::try_from(plain.len() - 1).unwrap());
            prop_assert_eq!(read.to_bits(), number.to_bits());
        }
    }
}
