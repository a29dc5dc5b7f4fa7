//! JSON text while it is written.
//!
//! Most texts are short. They are looked at and copied in blocks of a fixed size, of which the last
//! may overlap the one before it: that is several times cheaper than a copy of any length, and no
//! byte is read twice to find out whether it must be escaped.

use std::ops::Range;

use crate::json::scan::{find_special, is_plain, is_plain_8, is_plain_16};

/// The written bytes; always UTF-8, because whole texts and ASCII are all that is ever added.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct JsonText(Vec<u8>);

impl JsonText {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }

    pub(crate) fn into_string(self) -> String {
        String::from_utf8(self.0).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back what was written from `mark` on, which was the length before a whole text.
    pub(crate) fn truncate(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    /// Puts a text in the place of a range; whether that differs from what stood there.
    pub(crate) fn replace(&mut self, range: Range<usize>, part: &Self) -> bool {
        match self.0.get_mut(range.clone()) {
            Some(before) if before == part.0 => return false,
            Some(before) if before.len() == part.0.len() => before.copy_from_slice(&part.0),
            Some(_) => drop(self.0.splice(range, part.0.iter().copied())),
            None => return false,
        }
        true
    }

    /// Adds a part as it stands.
    pub(crate) fn raw(&mut self, part: &str) {
        self.0.extend_from_slice(part.as_bytes());
    }

    /// Adds one ASCII character as it stands.
    pub(crate) fn ascii(&mut self, byte: u8) {
        debug_assert!(byte.is_ascii());
        self.0.push(byte);
    }

    /// Adds `"name":`, with a comma before all but the first.
    pub(crate) fn name(&mut self, name: &str, first: &mut bool) {
        if *first {
            self.0.push(b'"');
        } else {
            self.0.extend_from_slice(b",\"");
        }
        *first = false;
        self.content(name);
        self.0.extend_from_slice(b"\":");
    }

    /// Adds a text in quotes: `"` and `\` escaped, control characters as RFC 8785 has them.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.push(b'"');
        self.content(text);
        self.0.push(b'"');
    }

    fn content(&mut self, text: &str) {
        let bytes = text.as_bytes();
        match bytes.len() {
            // Blocks are copied by calls where nothing is inlined.
            _ if cfg!(target_arch = "wasm32") => self.any_length(bytes),
            4..8 => self.two_blocks(bytes, is_plain_8),
            8..16 => self.two_blocks(bytes, is_plain_16),
            _ => self.any_length(bytes),
        }
    }

    /// Adds between `N` and `2 * N` bytes.
    fn two_blocks<const N: usize>(
        &mut self,
        bytes: &[u8],
        is_plain: impl FnOnce(&[u8; N], &[u8; N]) -> bool,
    ) {
        match (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
            (Some(first), Some(last)) if is_plain(first, last) => {
                let end = self.0.len() + bytes.len();
                self.0.extend_from_slice(first);
                self.0.truncate(end - N);
                self.0.extend_from_slice(last);
            }
            _ => self.any_length(bytes),
        }
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline(never))]
    fn any_length(&mut self, bytes: &[u8]) {
        if is_plain(bytes) {
            self.0.extend_from_slice(bytes);
        } else {
            self.escaped(bytes);
        }
    }

    #[cold]
    fn escaped(&mut self, mut rest: &[u8]) {
        const HEX: [u8; 16] = *b"0123456789abcdef";
        loop {
            let (before, after) =
                rest.split_at_checked(find_special(rest, 0)).unwrap_or((rest, b""));
            self.0.extend_from_slice(before);
            let Some((byte, after)) = after.split_first() else { return };
            match byte {
                b'"' => self.0.extend_from_slice(b"\\\""),
                b'\\' => self.0.extend_from_slice(b"\\\\"),
                0x08 => self.0.extend_from_slice(b"\\b"),
                b'\t' => self.0.extend_from_slice(b"\\t"),
                b'\n' => self.0.extend_from_slice(b"\\n"),
                0x0c => self.0.extend_from_slice(b"\\f"),
                b'\r' => self.0.extend_from_slice(b"\\r"),
                control => {
                    self.0.extend_from_slice(b"\\u00");
                    self.0.extend(HEX.get(usize::from(control >> 4)));
                    self.0.extend(HEX.get(usize::from(control & 15)));
                }
            }
            rest = after;
        }
    }
}
