//! A pull reader over JSON text (RFC 8259) that borrows from it.
//!
//! It never stops at a fault that lies in a value: the fault is kept with its byte offset and
//! reading goes on, so that five faults are five findings. Only broken syntax ends the reading.
//! Pointers are made from offsets afterwards, so that a document without faults pays nothing.

use std::borrow::Cow;

use crate::codes::Code;
use crate::decode::{Next, Shape};
use crate::finding::Finding;
use crate::json::number::{self, Parsed};
use crate::json::scan::{find_special, special_in_16};
use crate::limits;

/// A member's name and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Key<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) at: usize,
}

/// A fault of reading, before its pointer is known.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// Offset of the value or of the member's name.
    pub(crate) at: usize,
    /// Name of the member that is missing in the object at `at`.
    pub(crate) member: Option<&'static str>,
    pub(crate) finding: Finding,
}

/// Which numbers and members a door takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Fields of the contract: whole numbers within ±(2^53−1), `null` means absent, all limits.
    Contract,
    /// Any JSON: `null` stays, numbers round to doubles, only the depth is limited.
    Any,
}

/// Reads the text `'t` to values of `'a`: they borrow from it, or live on without it.
#[derive(Debug)]
pub(crate) struct Reader<'t, 'a> {
    text: &'t str,
    /// A part of the text as values have it.
    kept: fn(&'t str) -> Cow<'a, str>,
    pos: usize,
    depth: usize,
    profile: Profile,
    broken: bool,
    faults: Vec<Fault>,
    edit: Option<Edit<'t>>,
}

/// What is read goes into a value that is there, at the end of a path.
#[derive(Debug)]
pub(crate) struct Edit<'t> {
    /// The steps that are left, as a pointer has them.
    names: &'t str,
    /// The same steps as places of fields and items, if they were taken before.
    places: Option<&'t [usize]>,
    /// The places of the steps that were taken.
    pub(crate) taken: Vec<usize>,
    /// The number that is put there, instead of a text.
    number: Option<f64>,
}

impl<'t> Reader<'t, 't> {
    /// A reader whose values borrow from the text.
    pub(crate) fn new(text: &'t str, profile: Profile) -> Self {
        Self::with(text, profile, Cow::Borrowed)
    }
}

impl<'t> Reader<'t, 'static> {
    /// A reader whose values live on without the text.
    pub(crate) fn owning(text: &'t str, profile: Profile) -> Self {
        Self::with(text, profile, |part| Cow::Owned(part.to_owned()))
    }
}

impl<'t, 'a> Reader<'t, 'a> {
    fn with(text: &'t str, profile: Profile, kept: fn(&'t str) -> Cow<'a, str>) -> Self {
        Self {
            text,
            kept,
            pos: 0,
            depth: 0,
            profile,
            broken: false,
            faults: Vec::new(),
            edit: None,
        }
    }

    /// A name or a part of the text, as values have it.
    pub(crate) fn keep(&self, part: Cow<'t, str>) -> Cow<'a, str> {
        match part {
            Cow::Borrowed(part) => (self.kept)(part),
            Cow::Owned(part) => Cow::Owned(part),
        }
    }

    /// Reads a value into another, where a pointer leads in that.
    pub(crate) fn edit_pointer(mut self, pointer: &'t str) -> Self {
        self.edit = Some(Edit { names: pointer, places: None, taken: Vec::new(), number: None });
        self
    }

    /// The same where the way is known; what is read may be a number instead of the text.
    pub(crate) fn edit_places(mut self, places: &'t [usize], number: Option<f64>) -> Self {
        self.edit = Some(Edit { names: "", places: Some(places), taken: Vec::new(), number });
        self
    }

    /// Whether the path led to its end, and what was put there is without a fault.
    pub(crate) fn is_done(&mut self) -> bool {
        if self.given().is_some() || self.has_steps() {
            return false;
        }
        self.end();
        !self.broken && self.faults.is_empty()
    }

    /// The places that led to the value.
    pub(crate) fn taken(self) -> Vec<usize> {
        self.edit.map(|edit| edit.taken).unwrap_or_default()
    }

    pub(crate) fn is_edit(&self) -> bool {
        self.edit.is_some()
    }

    /// Whether there is more of the path.
    pub(crate) fn has_steps(&self) -> bool {
        self.edit.as_ref().is_some_and(|edit| {
            edit.places.map_or(!edit.names.is_empty(), |places| !places.is_empty())
        })
    }

    /// What was made of a number that was given: nothing is a fault.
    pub(crate) fn fitting<T>(&mut self, value: Option<T>) -> Option<T> {
        self.broken |= value.is_none();
        value
    }

    /// The path leads nowhere.
    pub(crate) fn lost(&mut self) {
        self.broken = true;
    }

    fn step(&mut self, find: impl FnOnce(&str) -> Option<usize>) -> Option<usize> {
        let edit = self.edit.as_mut()?;
        if let Some((first, rest)) = edit.places.and_then(<[usize]>::split_first) {
            edit.places = Some(rest);
            return Some(*first);
        }
        let rest = edit.names.strip_prefix('/')?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end)?;
        edit.names = rest;
        let place = find(name)?;
        edit.taken.push(place);
        Some(place)
    }

    /// Takes the next step of the path, to a field.
    pub(crate) fn step_to_field(&mut self, shape: &Shape) -> Option<usize> {
        self.step(|name| Some(shape.find(name, &mut Next::default())?.0))
    }

    /// Takes the next step of the path, to an item of a list.
    pub(crate) fn step_to_item(&mut self) -> Option<usize> {
        self.step(|name| name.parse().ok())
    }

    /// The number that is put at the end of the path, where it is not a text.
    pub(crate) fn given(&mut self) -> Option<f64> {
        self.edit.as_mut()?.number.take()
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    pub(crate) fn position(&self) -> usize {
        self.pos
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether what is open is the document itself.
    pub(crate) fn at_top(&self) -> bool {
        self.depth == 1
    }

    /// Keeps a fault of a member of the object at `at`.
    pub(crate) fn member_fault(&mut self, at: usize, member: &'static str, finding: Finding) {
        self.push_fault(Fault { at, member: Some(member), finding });
    }

    pub(crate) fn fault_count(&self) -> usize {
        self.faults.len()
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Keeps a fault; beyond [`limits::FAULTS`] only the first ones are kept.
    pub(crate) fn fault(&mut self, at: usize, finding: Finding) {
        self.push_fault(Fault { at, member: None, finding });
    }

    /// Keeps the fault that the value at `at` counts as absent where one must be.
    #[cold]
    #[inline(never)]
    pub(crate) fn absent(&mut self, at: usize, code: Code) {
        let mut finding = Finding::new(code, "").at(at..self.pos);
        if code == Code::JsonWrongType {
            finding = finding.arg("a value").arg("nothing");
        }
        self.fault(at, finding);
    }

    /// Keeps the fault that the object at `at` has no `member`.
    #[cold]
    #[inline(never)]
    pub(crate) fn missing(&mut self, at: usize, member: &'static str, code: Code) {
        let mut finding = Finding::new(code, "");
        if code == Code::JsonWrongType {
            finding = finding.arg("a value").arg("nothing");
        }
        self.push_fault(Fault { at, member: Some(member), finding });
    }

    fn push_fault(&mut self, fault: Fault) {
        if self.faults.len() < limits::FAULTS {
            self.faults.push(fault);
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or("")
    }

    fn skip_space(&mut self) {
        // Most texts are written without space.
        if self.byte(self.pos) <= b' ' {
            self.skip_spaces();
        }
    }

    #[cold]
    fn skip_spaces(&mut self) {
        while matches!(self.byte(self.pos), b' ' | b'\n' | b'\t' | b'\r') {
            self.pos += 1;
        }
    }

    /// The first byte of the next value, 0 at the end.
    pub(crate) fn peek(&mut self) -> u8 {
        let next = self.byte(self.pos);
        if next > b' ' {
            return next;
        }
        self.skip_spaces();
        self.byte(self.pos)
    }

    /// Where the next value starts.
    pub(crate) fn start(&mut self) -> usize {
        self.skip_space();
        self.pos
    }

    #[cold]
    #[inline(never)]
    fn syntax(&mut self, what: &'static str) {
        if !self.broken {
            self.broken = true;
            let at = self.pos.min(self.text.len());
            let end =
                (at..self.text.len()).find(|&end| end > at && self.text.is_char_boundary(end));
            let end = end.unwrap_or(self.text.len());
            let found = match self.text.get(at..end) {
                None | Some("") => "the text ends here".to_owned(),
                Some(token) => match token.chars().find(|character| character.is_control()) {
                    Some(control) => format!("found `\\u{{{:x}}}`", u32::from(control)),
                    None => format!("found `{token}`"),
                },
            };
            let finding =
                Finding::new(Code::JsonSyntax, "").arg(format!("{what}, {found}")).at(at..end);
            self.push_fault(Fault { at, member: None, finding });
        }
        self.pos = self.text.len();
    }

    /// After the document's value: nothing but space may follow.
    pub(crate) fn end(&mut self) {
        self.skip_space();
        if !self.broken && self.pos < self.text.len() {
            self.syntax("expected the end of the document");
        }
    }

    /// The name of the kind of value that comes next.
    fn found(&mut self) -> &'static str {
        match self.peek() {
            b'{' => "an object",
            b'[' => "a list",
            b'"' => "text",
            b't' | b'f' => "true or false",
            b'n' => "null",
            b'-' | b'0'..=b'9' => "a number",
            _ => "nothing",
        }
    }

    /// Keeps a wrong-type fault for the next value and skips it.
    #[cold]
    #[inline(never)]
    pub(crate) fn wrong_type(&mut self, expected: &'static str) {
        let at = self.start();
        let found = self.found();
        let index = self.faults.len();
        self.skip();
        if self.broken {
            return;
        }
        let finding =
            Finding::new(Code::JsonWrongType, "").arg(expected).arg(found).at(at..self.pos);
        if self.faults.len() < limits::FAULTS {
            self.faults.insert(index.min(self.faults.len()), Fault { at, member: None, finding });
        }
    }

    /// Takes `null` if it comes next.
    pub(crate) fn null(&mut self) -> bool {
        self.peek() == b'n' && self.literal("null")
    }

    fn literal(&mut self, word: &'static str) -> bool {
        let end = self.pos + word.len();
        if self.text.get(self.pos..end) == Some(word) {
            self.pos = end;
            true
        } else {
            self.syntax("expected a value");
            false
        }
    }

    /// A boolean; another type is a fault.
    pub(crate) fn boolean(&mut self) -> Option<bool> {
        match self.peek() {
            b't' => self.literal("true").then_some(true),
            b'f' => self.literal("false").then_some(false),
            _ => {
                self.wrong_type("true or false");
                None
            }
        }
    }

    /// Opens an object; another type is a fault. Members follow from [`Self::next_key`].
    pub(crate) fn open_object(&mut self, expected: &'static str) -> bool {
        self.open(b'{', expected)
    }

    /// Opens a list; another type is a fault. Items follow while [`Self::next_item`] is true.
    pub(crate) fn open_list(&mut self, expected: &'static str) -> bool {
        self.open(b'[', expected)
    }

    fn open(&mut self, bracket: u8, expected: &'static str) -> bool {
        if self.peek() != bracket {
            self.wrong_type(expected);
            return false;
        }
        if self.depth >= limits::DEPTH {
            self.too_deep();
            return false;
        }
        self.depth += 1;
        self.pos += 1;
        true
    }

    #[cold]
    #[inline(never)]
    fn too_deep(&mut self) {
        let at = self.pos;
        self.skip_flat();
        let finding = Finding::new(Code::JsonTooLarge, "").arg("the depth");
        #[allow(clippy::cast_precision_loss, reason = "a small constant")]
        let finding = finding.arg(limits::DEPTH as f64).at(at..at + 1);
        self.fault(at, finding);
    }

    /// The next member's name, its colon taken; `None` after the last one.
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Option<Key<'t>> {
        if !self.separator(b'}', first, "expected `,` or `}`") {
            return None;
        }
        if self.peek() != b'"' {
            self.syntax("expected a member name in double quotes");
            return None;
        }
        let at = self.pos;
        let text = self.string_at(at)?;
        if self.peek() != b':' {
            self.syntax("expected `:`");
            return None;
        }
        self.pos += 1;
        Some(Key { text: text.unwrap_or(Cow::Borrowed("\u{fffd}")), at })
    }

    /// Whether another item follows.
    pub(crate) fn next_item(&mut self, first: &mut bool) -> bool {
        self.separator(b']', first, "expected `,` or `]`")
    }

    fn separator(&mut self, close: u8, first: &mut bool, what: &'static str) -> bool {
        if self.broken {
            return false;
        }
        let next = self.peek();
        if next == close {
            self.pos += 1;
            self.depth -= 1;
            return false;
        }
        if *first {
            *first = false;
            return true;
        }
        if next == b',' {
            self.pos += 1;
            return true;
        }
        self.syntax(what);
        false
    }

    /// Text; another type is a fault, and so is half of a surrogate pair.
    pub(crate) fn string(&mut self, expected: &'static str) -> Option<Cow<'a, str>> {
        if self.peek() != b'"' {
            self.wrong_type(expected);
            return None;
        }
        self.string_at(self.pos)?.map(|text| self.keep(text))
    }

    /// Outer `None`: broken syntax. Inner `None`: a fault was kept.
    #[allow(
        clippy::option_option,
        reason = "the two levels are told apart by the one caller that needs to"
    )]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn string_at(&mut self, at: usize) -> Option<Option<Cow<'t, str>>> {
        match self.short_string(at) {
            Some(text) => Some(Some(Cow::Borrowed(text))),
            None => self.any_string(at),
        }
    }

    /// A text of fewer than 16 bytes without escapes, as most are; `None` for any other.
    #[inline(never)]
    fn short_string(&mut self, at: usize) -> Option<&'t str> {
        let from = at + 1;
        let end = from + special_in_16(self.text.as_bytes().get(from..)?)?;
        if self.byte(end) != b'"' {
            return None;
        }
        self.pos = end + 1;
        self.text.get(from..end)
    }

    #[allow(clippy::option_option, reason = "see `string_at`")]
    #[inline(never)]
    fn any_string(&mut self, at: usize) -> Option<Option<Cow<'t, str>>> {
        let from = at + 1;
        let end = find_special(self.text.as_bytes(), from);
        let text = if self.byte(end) == b'"' {
            self.pos = end + 1;
            Cow::Borrowed(self.slice(from, end))
        } else {
            match self.escaped(at, from, end)? {
                Some(text) => Cow::Owned(text),
                None => return Some(None),
            }
        };
        if text.len() > limits::TEXT
            && self.profile == Profile::Contract
            && crate::unicode::count(&text) > limits::TEXT
        {
            #[allow(clippy::cast_precision_loss, reason = "a small constant")]
            let finding = Finding::new(Code::JsonTooLarge, "")
                .arg("the text")
                .arg(limits::TEXT as f64)
                .at(at..self.pos);
            self.fault(at, finding);
            return Some(None);
        }
        Some(Some(text))
    }

    #[allow(clippy::option_option, reason = "see `string_at`")]
    fn escaped(&mut self, at: usize, from: usize, mut end: usize) -> Option<Option<String>> {
        let mut out = String::with_capacity(end - from + 16);
        let mut start = from;
        let mut whole = true;
        loop {
            out.push_str(self.slice(start, end));
            self.pos = end;
            match self.byte(end) {
                b'"' => {
                    self.pos = end + 1;
                    break;
                }
                b'\\' => {
                    self.pos = end + 2;
                    let plain = match self.byte(end + 1) {
                        b'"' => '"',
                        b'\\' => '\\',
                        b'/' => '/',
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        b'u' => match self.unicode_escape() {
                            Some(Ok(character)) => character,
                            Some(Err(())) => {
                                whole = false;
                                '\u{fffd}'
                            }
                            None => {
                                self.syntax("expected four hexadecimal digits");
                                return None;
                            }
                        },
                        _ => {
                            self.pos = end + 1;
                            self.syntax("expected an escape");
                            return None;
                        }
                    };
                    out.push(plain);
                }
                _ if end >= self.text.len() => {
                    self.syntax("expected the closing `\"` of a text");
                    return None;
                }
                _ => {
                    self.syntax("control characters in a text must be escaped");
                    return None;
                }
            }
            start = self.pos;
            end = find_special(self.text.as_bytes(), start);
        }
        if whole {
            return Some(Some(out));
        }
        self.fault(at, Finding::new(Code::JsonLoneSurrogate, "").at(at..self.pos));
        Some(None)
    }

    /// After `\u`: a character, `Err` for half of a pair, `None` for broken syntax.
    fn unicode_escape(&mut self) -> Option<Result<char, ()>> {
        let high = self.four_hex()?;
        if (0xd800..0xdc00).contains(&high) {
            if self.byte(self.pos) == b'\\' && self.byte(self.pos + 1) == b'u' {
                let back = self.pos;
                self.pos += 2;
                let low = self.four_hex()?;
                if (0xdc00..0xe000).contains(&low) {
                    let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    return Some(char::from_u32(code).ok_or(()));
                }
                self.pos = back;
            }
            return Some(Err(()));
        }
        Some(char::from_u32(high).ok_or(()))
    }

    fn four_hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.pos..self.pos + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.pos += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    /// A number; another type is a fault.
    pub(crate) fn number(&mut self, expected: &'static str) -> Option<Parsed<'t>> {
        if !matches!(self.peek(), b'-' | b'0'..=b'9') {
            self.wrong_type(expected);
            return None;
        }
        let at = self.pos;
        let Some(parsed) = number::parse(self.text, at) else {
            self.syntax("expected a number");
            return None;
        };
        self.pos = at + parsed.text.len();
        let limit = match self.profile {
            Profile::Contract => limits::SAFE_INTEGER,
            Profile::Any => f64::MAX,
        };
        if parsed.value.abs() > limit {
            self.out_of_range(at);
            return None;
        }
        Some(parsed)
    }

    #[cold]
    #[inline(never)]
    fn out_of_range(&mut self, at: usize) {
        let text = self.slice(at, self.pos);
        let shown = if text.len() > 40 {
            format!("{}…", self.slice(at, at + 40))
        } else {
            text.to_owned()
        };
        self.fault(at, Finding::new(Code::JsonNumberRange, "").arg(shown).at(at..self.pos));
    }

    /// Skips the next value: syntax, repeated members and halves of pairs are still faults, but
    /// its numbers belong to somebody else.
    pub(crate) fn skip(&mut self) {
        match self.peek() {
            b'"' => {
                let at = self.pos;
                let _ = self.string_at(at);
            }
            b'{' => {
                if self.open(b'{', "") {
                    let mut first = true;
                    let mut seen = crate::decode::Seen::default();
                    while let Some(key) = self.next_key(&mut first) {
                        if self.profile == Profile::Contract {
                            let _ = seen.repeated(self, &key);
                        }
                        self.skip();
                    }
                }
            }
            b'[' => {
                if self.open(b'[', "") {
                    let mut first = true;
                    while self.next_item(&mut first) {
                        self.skip();
                    }
                }
            }
            b't' => {
                self.literal("true");
            }
            b'f' => {
                self.literal("false");
            }
            b'n' => {
                self.literal("null");
            }
            b'-' | b'0'..=b'9' => match number::parse(self.text, self.pos) {
                Some(parsed) => self.pos += parsed.text.len(),
                None => self.syntax("expected a number"),
            },
            _ => self.syntax("expected a value"),
        }
    }

    /// Skips a value that is nested too deep, without recursion and without looking into it.
    fn skip_flat(&mut self) {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                b'"' => {
                    let mut end = self.pos + 1;
                    loop {
                        end = find_special(self.text.as_bytes(), end);
                        match self.byte(end) {
                            b'\\' => end += 2,
                            b'"' => break,
                            _ if end >= self.text.len() => break,
                            _ => end += 1,
                        }
                    }
                    self.pos = end;
                }
                0 if self.pos >= self.text.len() => {
                    self.syntax("expected the end of a nested value");
                    return;
                }
                _ => {}
            }
            self.pos += 1;
            if !self.text.is_char_boundary(self.pos) {
                while !self.text.is_char_boundary(self.pos) {
                    self.pos += 1;
                }
            }
            if open == 0 {
                return;
            }
        }
    }
}
