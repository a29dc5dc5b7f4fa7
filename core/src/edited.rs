//! A document that stays while it is edited: read once, and after an edit again only where it
//! changed.
//!
//! Most edits put one plain value in the place of another: a slider, a word of a list, a letter more
//! in a prompt. Such an edit reads that one field again and runs the rules that read it. Everything
//! else (members that come and go, a context that changes, a document with faults) reads the whole
//! text again, when an answer is asked for. Both give the same answers; tests compare them.

use std::cell::OnceCell;
use std::ops::Range;

use crate::build::Prepared;
use crate::canonical::number_text;
use crate::context::BuildOptions;
use crate::decode::{Decode as _, Source};
use crate::document::{check_items, prepare, read};
use crate::edit::{EditError, EditedText, is_json};
use crate::facts::{Facts, Known};
use crate::finding::{Finding, Refusal, Report};
use crate::fingerprint::{Fingerprint, Kept, Part};
use crate::json::locate::{Index, locate};
use crate::json::reader::{Profile, Reader};
use crate::limits;
use crate::scene::{NodeItem, Place};
use crate::validate;

/// Fields that are remembered, and states of the findings; more are forgotten, the oldest first.
const REMEMBERED: usize = 32;

/// Bytes that a number takes at most.
const NUMBER: usize = 32;

/// A document that is edited.
///
/// ```
/// use onepath_core::EditedDocument;
///
/// let text = r#"{"generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
///     "prompt": "a lighthouse", "duration": {"target": 5, "max": 8}, "fallback": {"mode": "skip"}}"#;
/// let mut document = EditedDocument::new(text.to_owned(), "{}").unwrap();
/// let valid = document.state();
/// document.set("/duration/target", "9").unwrap();
/// let found = document.report().findings().iter().map(|finding| finding.code().slug());
/// assert!(found.collect::<Vec<_>>().contains(&"duration/target-above-max"));
/// assert_ne!(document.state(), valid);
/// assert!(document.undo());
/// assert!(document.report().is_valid());
/// ```
#[derive(Debug)]
pub struct EditedDocument {
    text: EditedText,
    base: BuildOptions<'static>,
    /// What was read of the text; none after an edit that changed more than one field.
    read: Option<Read>,
    fields: Vec<Field>,
    /// The number of the first of the fields: numbers are never given twice.
    first: u32,
    /// Numbers that were put in fields and that the text does not show yet, in order.
    waiting: Vec<(usize, f64)>,
    /// Bytes that were added since the fields were looked up, at most.
    grown: usize,
    states: States,
    /// The fingerprint of an item, while it follows what is edited.
    kept: Option<(usize, Box<Kept>)>,
}

#[derive(Debug)]
struct Read {
    items: Vec<NodeItem<'static>>,
    /// Faults of reading, then those of the file's ids.
    findings: Vec<Finding>,
    index: OnceCell<Index>,
    report: Option<(u32, Report)>,
}

/// Numbers for what the findings are like.
#[derive(Debug, Default)]
struct States {
    now: u32,
    last: u32,
    /// Raised with every change of the findings.
    changes: u32,
}

impl States {
    /// The findings are like never before.
    fn fresh(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.again(self.last);
        self.now
    }

    /// They are as they were in a state.
    fn again(&mut self, state: u32) {
        self.now = state;
        self.changes = self.changes.wrapping_add(1);
    }
}

/// A field with a plain value, in one config.
#[derive(Debug)]
struct Field {
    pointer: String,
    item: usize,
    /// The way from the config to it: places of fields and items.
    places: Vec<usize>,
    /// Where its value stands in the text.
    range: Range<usize>,
    /// The rules that read it, and which of them refuse a build.
    rules: Vec<usize>,
    refusing: Vec<usize>,
    /// What it decides of a fingerprint; none if that is made anew.
    part: Option<Part>,
    /// What they find now, if nothing else changed since.
    found: Option<(u32, Vec<Finding>)>,
    /// The states for what they found, while nothing else changed.
    known: Vec<(Vec<Finding>, u32)>,
    /// Bytes by which the config may grow, and by which this field made it grow, at most.
    room: usize,
    taken: usize,
}

impl EditedDocument {
    /// Opens a document. `base` is the context known beside it, as JSON text.
    ///
    /// # Errors
    ///
    /// The faults of reading `base`.
    pub fn new(text: String, base: &str) -> Result<Self, Refusal> {
        let base = Source::owned(base).decode().into_result()?;
        Ok(Self {
            text: EditedText::new(text),
            base,
            read: None,
            fields: Vec::new(),
            first: 1,
            waiting: Vec::new(),
            grown: 0,
            states: States::default(),
            kept: None,
        })
    }

    /// Puts a value (JSON text) at a pointer; see [`EditedText::set`].
    ///
    /// # Errors
    ///
    /// The edit cannot be made.
    pub fn set(&mut self, pointer: &str, value: &str) -> Result<(), EditError> {
        self.write();
        if !self.set_field(pointer, value)? {
            self.text.set(pointer, value)?;
            self.forget();
        }
        Ok(())
    }

    /// Takes a member or an item away; false if there is none.
    ///
    /// # Errors
    ///
    /// The edit cannot be made.
    pub fn remove(&mut self, pointer: &str) -> Result<bool, EditError> {
        self.write();
        let removed = self.text.remove(pointer)?;
        Ok(self.changed(removed))
    }

    /// Takes the last change back; false if there is none.
    pub fn undo(&mut self) -> bool {
        self.write();
        let undone = self.text.undo();
        self.changed(undone)
    }

    /// Makes the change again that was taken back last; false if there is none.
    pub fn redo(&mut self) -> bool {
        self.write();
        let redone = self.text.redo();
        self.changed(redone)
    }

    /// The text as it is now.
    pub fn text(&mut self) -> &str {
        self.write();
        self.text.as_str()
    }

    /// A number for what the findings are like: as long as it is the same, they are.
    #[must_use]
    pub fn state(&self) -> u32 {
        self.states.now
    }

    /// What [`check`](crate::check) says about the document, without byte ranges: the text is written
    /// when it is asked for.
    pub fn report(&mut self) -> &Report {
        let (state, text) = (self.states.now, &self.text);
        let read = read_once(&mut self.read, text, &self.base);
        let known = read.report.take().filter(|(known, _)| *known == state);
        let report = match known {
            Some((_, report)) => report,
            None => {
                let report = check_items(&read.items, &read.findings, &|| read.index(text));
                let bare = report.into_findings().into_iter().map(Finding::without_span);
                Report::from(bare.collect::<Vec<_>>())
            }
        };
        &read.report.insert((state, report)).1
    }

    /// Every config of the document with its context.
    pub fn items(&mut self) -> &[NodeItem<'static>] {
        &read_once(&mut self.read, &self.text, &self.base).items
    }

    /// The faults of reading, then those of the file's ids.
    pub fn faults(&mut self) -> &[Finding] {
        &read_once(&mut self.read, &self.text, &self.base).findings
    }

    /// Walks one of the items along the whole path; see [`Document::prepare`](crate::Document::prepare).
    /// Who is not `curious` wants request and fingerprint: the report may then leave out what does
    /// not stand in their way.
    pub fn prepare(&mut self, item: usize, curious: bool) -> Option<Prepared<'_>> {
        let text = &self.text;
        let read = read_once(&mut self.read, text, &self.base);
        let item = read.items.get(item)?;
        let walk = |refusals| prepare(item, &read.findings, &|| read.index(text), refusals);
        let quick = (!curious).then(|| walk(true)).filter(|prepared| prepared.made.is_some());
        Some(quick.unwrap_or_else(|| walk(false)))
    }

    /// The fingerprint of one of the items. While edits change only parts that one member of the
    /// identity shows, that member alone is written again.
    ///
    /// # Errors
    ///
    /// The findings that stand in the way.
    pub fn fingerprint(&mut self, item: usize) -> Option<Result<&Fingerprint, Refusal>> {
        let known = self.kept.take().filter(|(of, _)| *of == item);
        let text = &self.text;
        let read = read_once(&mut self.read, text, &self.base);
        let node = read.items.get(item)?;
        let facts = Facts::new(&node.config, &node.options, Known::All);
        let known = known.and_then(|(_, mut kept)| kept.follow(&facts).then_some(kept));
        let kept = match known {
            Some(kept) => kept,
            None => {
                let walk = |refusals| prepare(node, &read.findings, &|| read.index(text), refusals);
                match walk(true).made {
                    Some((request, print)) => Box::new(Kept::new(print, &request, &facts)),
                    None => return Some(Err(Refusal::from_report(walk(false).report))),
                }
            }
        };
        Some(Ok(&self.kept.insert((item, kept)).1.print))
    }

    /// The number of the field with a plain value at a pointer, for [`Self::set_number`]. It has one
    /// once it was set, until an edit changes more than a plain value.
    #[must_use]
    pub fn field(&self, pointer: &str) -> Option<u32> {
        let index = self.fields.iter().position(|field| field.pointer == pointer)?;
        Some(self.first + u32::try_from(index).ok()?)
    }

    /// The same as [`Self::set`] with a number, for a field that is known. False, and nothing is
    /// done, if it is not, or does not take the number.
    pub fn set_number(&mut self, field: u32, value: f64) -> bool {
        let index = field.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(index) = index.filter(|_| value.is_finite()) else { return false };
        let done = self.edit(index, &Plain::Number(value));
        if done {
            self.waiting.push((index, value));
        }
        done
    }

    /// Forgets what was worked out of the text before it changed.
    fn changed(&mut self, changed: bool) -> bool {
        if changed {
            self.forget();
        }
        changed
    }

    fn forget(&mut self) {
        self.read = None;
        self.first += u32::try_from(self.fields.len()).unwrap_or(u32::MAX);
        self.fields.clear();
        self.grown = 0;
        self.kept = None;
        self.states.fresh();
    }

    /// Writes the numbers into the text that wait for it.
    fn write(&mut self) {
        for (index, value) in std::mem::take(&mut self.waiting) {
            self.put(index, &number_text(value));
        }
    }

    /// Puts the text of a value in the place of a field's.
    fn put(&mut self, index: usize, value: &str) {
        let Some(range) = self.fields.get(index).map(|field| field.range.clone()) else { return };
        self.text.replace(range.clone(), value);
        let end = range.start + value.len();
        for field in &mut self.fields {
            if field.range.start == range.start {
                field.range.end = end;
            } else if field.range.start > range.start {
                let moved = |at: usize| at - range.end + end;
                field.range = moved(field.range.start)..moved(field.range.end);
            }
        }
    }

    /// Puts a plain value in a field; false if this is none.
    fn set_field(&mut self, pointer: &str, value: &str) -> Result<bool, EditError> {
        if self.read.is_none() || !is_plain(value) {
            return Ok(false);
        }
        let known = self.fields.iter().position(|field| field.pointer == pointer);
        let Some(index) = known.or_else(|| self.look_up(pointer)) else { return Ok(false) };
        if !is_json(value) {
            return Err(EditError::ValueNotJson);
        }
        let done = self.edit(index, &Plain::Text(value));
        if done {
            self.put(index, value);
        }
        Ok(done)
    }

    /// Finds the field at a pointer: a plain value that exists, in one config of a document without
    /// faults.
    fn look_up(&mut self, pointer: &str) -> Option<usize> {
        let read = self.read.as_ref().filter(|read| read.findings.is_empty())?;
        let place = locate(self.text.as_str(), pointer);
        if !place.found || !is_plain(self.text.as_str().get(place.value.clone())?) {
            return None;
        }
        let mut of = None;
        for (index, item) in read.items.iter().enumerate() {
            let Some(path) = item.place.rule_pointer(&place.pointer) else { continue };
            let elsewhere = path.is_empty()
                || path.starts_with("/options")
                || path.starts_with("/document")
                || matches!(item.place, Place::SceneEdge(..));
            if elsewhere || of.is_some() {
                return None;
            }
            of = Some((index, path));
        }
        let (item, path) = of?;
        let config = place.pointer.strip_suffix(path.as_str())?;
        let size = locate(self.text.as_str(), config).value.len();
        // The value that is there, read where it stands: this finds the way to it.
        let text = self.text.as_str().get(place.value.clone())?;
        let mut reader = Reader::owning(text, Profile::Contract).edit_pointer(&path);
        let config = &mut self.read.as_mut()?.items.get_mut(item)?.config;
        config.edit(&mut reader);
        if !reader.is_done() {
            return None;
        }
        let part = Part::of(&path, config);
        let rules = validate::readers(&path);
        if self.fields.len() == REMEMBERED {
            self.fields.clear();
            self.first += u32::try_from(REMEMBERED).ok()?;
        }
        self.fields.push(Field {
            pointer: pointer.to_owned(),
            item,
            places: reader.taken(),
            range: place.value,
            refusing: validate::refusing(&rules),
            rules,
            part,
            found: None,
            known: Vec::new(),
            room: (limits::CONFIG_BYTES + self.grown).saturating_sub(size),
            taken: 0,
        });
        Some(self.fields.len() - 1)
    }

    /// Reads a field again and runs the rules that read it. False if that cannot be done: if the value
    /// is at fault, what was read is forgotten.
    fn edit(&mut self, index: usize, value: &Plain<'_>) -> bool {
        let (Some(field), Some(read)) = (self.fields.get_mut(index), self.read.as_mut()) else {
            return false;
        };
        let Some(item) = read.items.get_mut(field.item) else { return false };
        let (text, number) = match value {
            Plain::Text(text) => (*text, None),
            Plain::Number(number) => ("", Some(*number)),
        };
        let taken = text.len().max(NUMBER);
        let grown = self.grown - field.taken + taken;
        if grown > field.room {
            return false;
        }
        let before = match field.found.take() {
            Some((at, found)) if at == self.states.changes => found,
            _ => {
                let found = found(item, &field.rules);
                field.known = vec![(found.clone(), self.states.now)];
                found
            }
        };
        let reader = Reader::owning(text, Profile::Contract);
        let mut reader = reader.edit_places(&field.places, number);
        item.config.edit(&mut reader);
        if !reader.is_done() {
            self.forget();
            return false;
        }
        (self.grown, field.taken) = (grown, taken);
        let after = found(item, &field.rules);
        if after != before {
            let known = field.known.iter().find(|(known, _)| *known == after);
            match known.map(|(_, state)| *state) {
                Some(state) => self.states.again(state),
                None => {
                    if field.known.len() == REMEMBERED {
                        field.known.remove(0);
                    }
                    field.known.push((after.clone(), self.states.fresh()));
                }
            }
        }
        field.found = Some((self.states.changes, after));
        match (&mut self.kept, field.part) {
            (Some((item, kept)), Some(part)) if *item == field.item => {
                kept.change(part, &field.refusing);
            }
            (Some((item, _)), _) if *item != field.item => {}
            (kept, _) => *kept = None,
        }
        true
    }
}

/// A plain value, as an edit brings it.
enum Plain<'v> {
    /// JSON text.
    Text(&'v str),
    Number(f64),
}

/// Reads the document, unless that was done.
fn read_once<'r>(
    slot: &'r mut Option<Read>,
    text: &EditedText,
    base: &BuildOptions<'static>,
) -> &'r mut Read {
    slot.get_or_insert_with(|| {
        let (items, findings) = read(&Source::owned(text.as_str()), base);
        Read { items, findings, index: OnceCell::new(), report: None }
    })
}

impl Read {
    /// Where members stand. Numbers that wait to be written change nothing of how they are spelled.
    fn index(&self, text: &EditedText) -> &Index {
        self.index.get_or_init(|| Index::new(text.as_str()))
    }
}

/// What some rules find about a config.
fn found(item: &NodeItem<'_>, rules: &[usize]) -> Vec<Finding> {
    validate::run_some(&Facts::new(&item.config, &item.options, Known::Given), rules)
}

/// Whether a JSON text is neither an object nor a list.
fn is_plain(text: &str) -> bool {
    !text.trim_start().starts_with(['{', '['])
}
