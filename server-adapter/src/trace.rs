//! The trace of a call: by which its lines in the logs of several programs are found.

use std::fmt;

use crate::clock::{Clock, hex};

/// 16 bytes in lower-case hexadecimal, as W3C Trace Context has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceId(String);

impl TraceId {
    /// A trace of its own.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        let mut random = [0; 16];
        clock.random(&mut random);
        Self(hex(&random))
    }

    /// The trace of a `traceparent` header; none if it is not as the standard has it, in which case
    /// the caller starts a trace of its own.
    #[must_use]
    pub fn of_traceparent(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let (parent, flags) = (parts.next()?, parts.next()?);
        let is_hex = |text: &str, length: usize| {
            text.len() == length
                && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let some = |text: &str| text.bytes().any(|byte| byte != b'0');
        let good = is_hex(version, 2)
            && version != "ff"
            && is_hex(trace, 32)
            && some(trace)
            && is_hex(parent, 16)
            && some(parent)
            && is_hex(flags, 2)
            // Later versions may add parts; this one has four.
            && (version != "00" || parts.next().is_none());
        good.then(|| Self(trace.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<TraceId> for String {
    fn from(trace: TraceId) -> Self {
        trace.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_header_is_read_as_the_standard_has_it() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let of = |text: &str| TraceId::of_traceparent(text).map(|trace| trace.to_string());
        let parent = "00f067aa0ba902b7";
        assert_eq!(of(&format!("00-{id}-{parent}-01")).as_deref(), Some(id));
        assert_eq!(of(&format!("cc-{id}-{parent}-01-what")).as_deref(), Some(id));
        let zeros = "0".repeat(32);
        for wrong in [
            String::new(),
            id.to_owned(),
            format!("00-{id}-{parent}"),
            format!("00-{id}-{parent}-01-more"),
            format!("ff-{id}-{parent}-01"),
            format!("00-{}-{parent}-01", id.to_uppercase()),
            format!("00-{zeros}-{parent}-01"),
            format!("00-{id}-0000000000000000-01"),
            format!("00-{id}0-{parent}-01"),
        ] {
            assert_eq!(of(&wrong), None, "{wrong}");
        }
        let (one, two) = (TraceId::new(&SystemClock), TraceId::new(&SystemClock));
        assert_ne!(one, two);
        assert_eq!(of(&format!("00-{one}-{parent}-00")), Some(one.to_string()));
    }
}
