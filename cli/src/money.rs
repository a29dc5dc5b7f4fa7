//! Money as people write it: micro-dollars are read and printed without a rounding.

use onepath_core::Estimate;

/// Reads dollars as micro-dollars; no fractions of those.
pub(crate) fn read_dollars(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no amount: such as 2 or 0.75");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 6 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
    whole.checked_mul(1_000_000).and_then(|micros| micros.checked_add(part)).ok_or_else(wrong)
}

/// Micro-dollars as dollars, with two digits behind the point or as many as it takes.
pub(crate) fn dollars(micros: u64) -> String {
    let part = format!("{:06}", micros % 1_000_000);
    let (cents, rest) = part.split_at_checked(2).unwrap_or((&part, ""));
    format!("${}.{cents}{}", micros / 1_000_000, rest.trim_end_matches('0'))
}

/// A price.
pub(crate) fn price(estimate: Estimate) -> String {
    match (estimate.micros, estimate.credits) {
        (Some(0), _) => "free".to_owned(),
        (Some(micros), _) => dollars(micros),
        (None, Some(credits)) => format!("{credits} credits"),
        (None, None) => "price unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{dollars, read_dollars};

    #[test]
    fn dollars_are_read_and_printed_exactly() {
        assert_eq!(read_dollars("2"), Ok(2_000_000));
        assert_eq!(read_dollars("0.75"), Ok(750_000));
        assert_eq!(read_dollars("0.000001"), Ok(1));
        for wrong in ["", "-1", "0.0000001", "1e3", "$2", "99999999999999999"] {
            assert!(read_dollars(wrong).is_err(), "{wrong}");
        }
        for (micros, text) in
            [(0, "$0.00"), (40_000, "$0.04"), (2_500_000, "$2.50"), (1_000_001, "$1.000001")]
        {
            assert_eq!(dollars(micros), text);
        }
    }
}
