//! From bytes to pointers and back, for findings only.
//!
//! Reading keeps offsets; here they become RFC 6901 pointers, spelled as the document spells its
//! members. Rules know fields by their one spelling; [`locate`] finds the member whichever of its
//! spellings the document uses.

use std::borrow::Cow;
use std::ops::Range;

use crate::finding::Finding;
use crate::json::reader::{Fault, Profile, Reader};
use crate::order::{NameSet, in_order, sorted};

/// Where a pointer leads in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The pointer as the document spells it.
    pub pointer: String,
    /// Bytes of the member's name, if the last step went to a member.
    pub key: Option<Range<usize>>,
    /// Bytes of the value; of the innermost existing container if steps are missing.
    pub value: Range<usize>,
    /// Whether every step exists.
    pub found: bool,
}

impl Located {
    /// What to point at: the value; of something absent, the name of what should hold it, else its
    /// first bracket.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        match &self.key {
            _ if self.found => self.value.clone(),
            Some(key) => key.clone(),
            None => self.value.start..(self.value.start + 1).min(self.value.end),
        }
    }
}

/// `~` and `/` written as RFC 6901 has them.
pub(crate) fn escape(token: &str) -> Cow<'_, str> {
    if token.contains(['~', '/']) {
        Cow::Owned(token.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(token)
    }
}

/// The pointer without its last step; none if it has no step.
pub(crate) fn above(pointer: &str) -> Option<&str> {
    pointer.get(..pointer.bytes().rposition(|byte| byte == b'/')?)
}

pub(crate) fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        let mut out = String::with_capacity(token.len());
        let mut parts = token.split('~');
        out.push_str(parts.next().unwrap_or(""));
        for part in parts {
            let (escaped, rest) = part.split_at_checked(1).unwrap_or(("", part));
            match escaped {
                "0" => out.push('~'),
                "1" => out.push('/'),
                other => {
                    out.push('~');
                    out.push_str(other);
                }
            }
            out.push_str(rest);
        }
        Cow::Owned(out)
    } else {
        Cow::Borrowed(token)
    }
}

/// The `snake_case` form of a name, by which the two spellings of a field are the same.
pub(crate) fn snake(name: &str) -> Cow<'_, str> {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    Cow::Owned(out)
}

/// Follows a pointer through a text. A member is found by its name or by its other spelling.
#[must_use]
pub fn locate(text: &str, pointer: &str) -> Located {
    let mut reader = Reader::new(text, Profile::Any);
    let mut out = Located { pointer: String::new(), key: None, value: 0..text.len(), found: true };
    let mut tokens = pointer.split('/').skip(1);
    'steps: while let Some(token) = tokens.next() {
        let name = unescape(token);
        let at = reader.start();
        match reader.peek() {
            b'{' => {
                let other = other_spelling(text, at, &name);
                let wanted = other.as_deref().unwrap_or(&name);
                let mut first = true;
                reader.open_object("");
                while let Some(key) = reader.next_key(&mut first) {
                    if key.text == wanted {
                        let end = key_end(text, key.at);
                        out.pointer.push('/');
                        out.pointer.push_str(&escape(&key.text));
                        out.key = Some(key.at..end);
                        continue 'steps;
                    }
                    reader.skip();
                }
            }
            b'[' => {
                let index = name.parse::<usize>().ok();
                let mut first = true;
                let mut at_index = 0;
                reader.open_list("");
                while reader.next_item(&mut first) {
                    if Some(at_index) == index {
                        out.pointer.push('/');
                        out.pointer.push_str(token);
                        out.key = None;
                        continue 'steps;
                    }
                    reader.skip();
                    at_index += 1;
                }
            }
            _ => {}
        }
        // The step does not exist: the rest of the pointer stays as it is.
        out.found = false;
        out.pointer.push('/');
        out.pointer.push_str(token);
        for rest in tokens.by_ref() {
            out.pointer.push('/');
            out.pointer.push_str(rest);
        }
        out.value = value_range(text, at);
        return out;
    }
    let at = reader.start();
    out.value = value_range(text, at);
    out
}

/// The name under which an object holds a field: as given if it is there, else the member with
/// the same `snake_case` form.
fn other_spelling<'t>(text: &'t str, at: usize, name: &str) -> Option<Cow<'t, str>> {
    let mut reader = Reader::new(text.get(at..).unwrap_or(""), Profile::Any);
    let mut first = true;
    let mut other = None;
    reader.open_object("");
    while let Some(key) = reader.next_key(&mut first) {
        if key.text == name {
            return None;
        }
        if other.is_none() && snake(&key.text) == snake(name) {
            other = Some(key.text);
        }
        reader.skip();
    }
    other
}

fn value_range(text: &str, at: usize) -> Range<usize> {
    let mut reader = Reader::new(text.get(at..).unwrap_or(""), Profile::Any);
    let start = reader.start();
    reader.skip();
    at + start..at + reader.position()
}

fn key_end(text: &str, at: usize) -> usize {
    let mut reader = Reader::new(text.get(at..).unwrap_or(""), Profile::Any);
    let _ = reader.string("");
    at + reader.position()
}

/// The names that stand again in the object at `at`, with the bytes of each repetition.
pub(crate) fn repeated_keys(text: &str, at: usize) -> Vec<(String, Range<usize>)> {
    let mut reader = Reader::new(text.get(at..).unwrap_or(""), Profile::Any);
    let mut first = true;
    let mut seen = NameSet::default();
    let mut out = Vec::new();
    reader.open_object("");
    while let Some(key) = reader.next_key(&mut first) {
        let start = at + key.at;
        if !seen.insert(key.text.clone()) {
            out.push((key.text.into_owned(), start..key_end(text, start)));
        }
        reader.skip();
    }
    out
}

/// Gives faults their pointers, in one walk over the text.
pub(crate) fn resolve(text: &str, faults: Vec<Fault>) -> Vec<Finding> {
    if faults.is_empty() {
        return Vec::new();
    }
    let place = |index: usize| faults.get(index).map(|fault| fault.at);
    let order = sorted(faults.len(), &mut |one, other| place(one).cmp(&place(other)));
    let mut walk = Walk {
        reader: Reader::new(text, Profile::Any),
        path: Vec::new(),
        wanted: order.iter().filter_map(|&index| faults.get(index).map(|fault| fault.at)).collect(),
        next: 0,
        pointers: Vec::new(),
    };
    walk.value();
    // What was not reached lies behind broken syntax: it gets the place where reading broke.
    let last = pointer(&walk.path);
    walk.pointers.resize(walk.wanted.len(), last);
    let mut faults: Vec<_> = faults.into_iter().map(Some).collect();
    let placed = order.iter().zip(walk.pointers).filter_map(|(&index, mut pointer)| {
        let fault = faults.get_mut(index)?.take()?;
        if let Some(member) = fault.member {
            pointer.push('/');
            pointer.push_str(member);
        }
        let mut finding = fault.finding;
        finding.set_pointer(pointer);
        Some(finding)
    });
    placed.collect()
}

struct Walk<'t> {
    reader: Reader<'t, 't>,
    path: Vec<Cow<'t, str>>,
    /// Offsets in rising order.
    wanted: Vec<usize>,
    next: usize,
    pointers: Vec<String>,
}

impl Walk<'_> {
    fn reach(&mut self, at: usize) {
        while self.wanted.get(self.next).is_some_and(|&wanted| wanted <= at) {
            self.pointers.push(pointer(&self.path));
            self.next += 1;
        }
    }

    fn value(&mut self) {
        let at = self.reader.start();
        self.reach(at);
        match self.reader.peek() {
            b'{' if self.reader.open_object("") => {
                let mut first = true;
                while let Some(key) = self.reader.next_key(&mut first) {
                    self.path.push(key.text);
                    self.reach(key.at);
                    self.value();
                    if self.reader.is_broken() {
                        return;
                    }
                    self.path.pop();
                }
            }
            b'[' if self.reader.open_list("") => {
                let mut first = true;
                let mut index = 0_usize;
                while self.reader.next_item(&mut first) {
                    self.path.push(Cow::Owned(index.to_string()));
                    self.value();
                    if self.reader.is_broken() {
                        return;
                    }
                    self.path.pop();
                    index += 1;
                }
            }
            b'{' | b'[' => {}
            _ => self.reader.skip(),
        }
    }
}

fn pointer(path: &[Cow<'_, str>]) -> String {
    let mut out = String::new();
    for token in path {
        out.push('/');
        out.push_str(&escape(token));
    }
    out
}

/// Every place of a text, found in one walk: for documents with many findings.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Index(Vec<Entry>);

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// The pointer in `snake_case`, by which entries are sorted.
    snake: String,
    pointer: String,
    key: Option<Range<usize>>,
    value: Range<usize>,
}

impl Index {
    pub(crate) fn new(text: &str) -> Self {
        let mut index = Self::default();
        index.value(&mut Reader::new(text, Profile::Any), text, "", None);
        let name = |at: usize| index.0.get(at).map_or("", |entry| entry.snake.as_str());
        let order = sorted(index.0.len(), &mut |one, other| name(one).cmp(name(other)));
        Self(in_order(index.0, order))
    }

    /// Where two spellings stand, the first one counts; that both do is a fault of its own.
    fn get(&self, snake: &str) -> Option<&Entry> {
        let at = self.0.partition_point(|entry| entry.snake.as_str() < snake);
        self.0.get(at).filter(|entry| entry.snake == snake)
    }

    /// The same as [`locate`], without walking again.
    pub(crate) fn locate(&self, pointer: &str) -> Located {
        let mut known = pointer;
        loop {
            if let Some(entry) = self.get(&snake(known)) {
                let rest = pointer.get(known.len()..).unwrap_or("");
                return Located {
                    pointer: format!("{}{rest}", entry.pointer),
                    key: entry.key.clone(),
                    value: entry.value.clone(),
                    found: rest.is_empty(),
                };
            }
            match above(known) {
                Some(parent) => known = parent,
                None => {
                    return Located {
                        pointer: pointer.to_owned(),
                        key: None,
                        value: 0..0,
                        found: false,
                    };
                }
            }
        }
    }

    fn value(
        &mut self,
        reader: &mut Reader<'_, '_>,
        text: &str,
        pointer: &str,
        key: Option<Range<usize>>,
    ) {
        let start = reader.start();
        match reader.peek() {
            b'{' => {
                let mut first = true;
                if reader.open_object("") {
                    while let Some(name) = reader.next_key(&mut first) {
                        let below = format!("{pointer}/{}", escape(&name.text));
                        let end = key_end(text, name.at);
                        self.value(reader, text, &below, Some(name.at..end));
                    }
                }
            }
            b'[' => {
                let mut first = true;
                let mut at = 0_usize;
                if reader.open_list("") {
                    while reader.next_item(&mut first) {
                        self.value(reader, text, &format!("{pointer}/{at}"), None);
                        at += 1;
                    }
                }
            }
            _ => reader.skip(),
        }
        self.0.push(Entry {
            snake: snake(pointer).into_owned(),
            pointer: pointer.to_owned(),
            key,
            value: start..reader.position(),
        });
    }
}
