//! A document that is edited: its text with undo and redo. An edit changes the bytes it is about
//! and no others, so that a file is written back as its author laid it out.

use std::ops::Range;

use crate::json::locate::{above, locate, unescape};
use crate::json::reader::{Profile, Reader};
use crate::json::text::JsonText;

/// Why an edit was not made. The document stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The text of the document cannot be followed.
    #[error("the document is not JSON: replace it whole, at the empty pointer")]
    NotJson,
    /// The new value cannot stand in a document.
    #[error("the new value is not JSON")]
    ValueNotJson,
    /// A pointer that is not one of RFC 6901.
    #[error("`{0}` is not a pointer: it is empty or starts with `/`")]
    NotAPointer(String),
    /// The place is in something that holds nothing by that name.
    #[error("`{0}` leads nowhere: what should hold it is no object, or the list is shorter")]
    Nowhere(String),
}

/// The text of a document, with what was changed.
///
/// ```
/// use onepath_core::EditedText;
///
/// let mut text = EditedText::new("{ \"prompt\": \"a lighthouse\" }".to_owned());
/// text.set("/duration/target", "5").unwrap();
/// text.remove("/prompt").unwrap();
/// assert_eq!(text.as_str(), "{ \"duration\": {\"target\":5} }");
/// assert!(text.undo() && text.undo() && !text.undo());
/// assert_eq!(text.as_str(), "{ \"prompt\": \"a lighthouse\" }");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditedText {
    text: String,
    /// Whether the text is JSON; worked out when an edit asks. Edits leave it so.
    sound: Option<bool>,
    done: Vec<Change>,
    undone: Vec<Change>,
}

/// Where something was replaced, and what by what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    at: usize,
    before: String,
    after: String,
}

impl EditedText {
    /// Starts with a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    /// The text as it is now.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Puts a value (JSON text) at a pointer, in whichever spelling the document has it. Objects that
    /// are missing on the way are made; behind the last item of a list (or at `-`) one is added.
    ///
    /// # Errors
    ///
    /// The edit cannot be made.
    pub fn set(&mut self, pointer: &str, value: &str) -> Result<(), EditError> {
        if !is_json(value) {
            return Err(EditError::ValueNotJson);
        }
        if pointer.is_empty() {
            self.replace(0..self.text.len(), value);
            self.sound = None;
            return Ok(());
        }
        self.check(pointer)?;
        let place = locate(&self.text, pointer);
        if place.found {
            self.replace(place.value, value);
            return Ok(());
        }
        let nowhere = || EditError::Nowhere(pointer.to_owned());
        // The longest part of the pointer that exists; the whole document always does.
        let mut held = pointer;
        while let Some(parent) = above(held) {
            held = parent;
            if locate(&self.text, held).found {
                break;
            }
        }
        let rest = pointer.get(held.len() + 1..).ok_or_else(nowhere)?;
        let (step, below) =
            rest.split_once('/').map_or((rest, None), |(step, rest)| (step, Some(rest)));
        let mut value = value.to_owned();
        let mut steps = below;
        while let Some(below) = steps {
            steps = above(below);
            let name = below.get(steps.map_or(0, |steps| steps.len() + 1)..).unwrap_or("");
            value = format!("{{{}}}", member(name, ":", &value));
        }
        let content = self
            .text
            .get(place.value.start + 1..place.value.end.saturating_sub(1))
            .ok_or_else(nowhere)?;
        let bare = content.trim_end();
        let gap = bare.get(..bare.len() - bare.trim_start().len()).unwrap_or("");
        let added = match self.text.as_bytes().get(place.value.start) {
            Some(b'{') => member(step, if gap.is_empty() { ":" } else { ": " }, &value),
            Some(b'[')
                if step == "-" || step == count(&self.text, place.value.start).to_string() =>
            {
                value
            }
            _ => return Err(nowhere()),
        };
        let end = place.value.start + 1 + bare.len();
        let added = if bare.is_empty() { added } else { format!(",{gap}{added}") };
        self.replace(end..end, &added);
        Ok(())
    }

    /// Takes a member or an item away; false if there is none.
    ///
    /// # Errors
    ///
    /// The edit cannot be made.
    pub fn remove(&mut self, pointer: &str) -> Result<bool, EditError> {
        self.check(pointer)?;
        let place = locate(&self.text, pointer);
        if !place.found || pointer.is_empty() {
            return Ok(false);
        }
        let start = place.key.map_or(place.value.start, |key| key.start);
        let after = self.text.get(place.value.end..).unwrap_or("");
        let before = self.text.get(..start).unwrap_or("").trim_end();
        let range = if let Some(rest) = after.trim_start().strip_prefix(',') {
            start..self.text.len() - rest.trim_start().len()
        } else if let Some(rest) = before.strip_suffix(',') {
            rest.len()..place.value.end
        } else {
            start..place.value.end
        };
        self.replace(range, "");
        Ok(true)
    }

    /// Takes the last change back; false if there is none.
    pub fn undo(&mut self) -> bool {
        let Some(change) = self.done.pop() else { return false };
        self.text.replace_range(change.at..change.at + change.after.len(), &change.before);
        self.undone.push(change);
        self.sound = None;
        true
    }

    /// Makes the change again that was taken back last; false if there is none.
    pub fn redo(&mut self) -> bool {
        let Some(change) = self.undone.pop() else { return false };
        self.text.replace_range(change.at..change.at + change.before.len(), &change.after);
        self.done.push(change);
        self.sound = None;
        true
    }

    fn check(&mut self, pointer: &str) -> Result<(), EditError> {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(EditError::NotAPointer(pointer.to_owned()));
        }
        if *self.sound.get_or_insert_with(|| is_json(&self.text)) {
            Ok(())
        } else {
            Err(EditError::NotJson)
        }
    }

    /// Puts a JSON text in the place of a value.
    pub(crate) fn replace(&mut self, range: Range<usize>, after: &str) {
        let before = self.text.get(range.clone()).unwrap_or("").to_owned();
        self.text.replace_range(range.clone(), after);
        self.done.push(Change { at: range.start, before, after: after.to_owned() });
        self.undone.clear();
    }
}

fn member(name: &str, colon: &str, value: &str) -> String {
    let mut out = JsonText::default();
    out.text(&unescape(name));
    out.raw(colon);
    out.raw(value);
    out.into_string()
}

pub(crate) fn is_json(text: &str) -> bool {
    let mut reader = Reader::new(text, Profile::Any);
    reader.skip();
    reader.end();
    !reader.is_broken()
}

/// How many items a list has.
fn count(text: &str, at: usize) -> usize {
    let mut reader = Reader::new(text.get(at..).unwrap_or(""), Profile::Any);
    let (mut count, mut first) = (0, true);
    if reader.open_list("") {
        while reader.next_item(&mut first) {
            reader.skip();
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, edit: impl Fn(&mut EditedText) -> bool) -> String {
        let mut edited = EditedText::new(text.to_owned());
        assert!(edit(&mut edited), "{text}");
        let changed = edited.as_str().to_owned();
        assert!(is_json(&changed), "{changed}");
        assert!(edited.undo());
        assert_eq!(edited.as_str(), text);
        assert!(edited.redo());
        assert_eq!(edited.as_str(), changed);
        changed
    }

    #[test]
    fn only_the_bytes_of_the_edit_change() {
        let text = "{\n  \"mood_from\": \"calm\",\n  \"list\": [1,2] ,\n  \"n\": 1.0\n}\n";
        let set = |pointer: &'static str, value: &'static str| {
            after(text, move |edited| edited.set(pointer, value).is_ok())
        };
        assert_eq!(set("/moodFrom", "\"x\""), text.replace("\"calm\"", "\"x\""));
        assert_eq!(set("/list/1", "{}"), text.replace("[1,2]", "[1,{}]"));
        assert_eq!(set("/list/2", "3"), text.replace("[1,2]", "[1,2,3]"));
        assert_eq!(set("/list/-", "3"), text.replace("[1,2]", "[1,2,3]"));
        assert_eq!(set("/new", "3"), text.replace("1.0\n", "1.0,\n  \"new\": 3\n"));
        assert_eq!(set("/a/b~1c", "3"), text.replace("1.0\n", "1.0,\n  \"a\": {\"b/c\":3}\n"));
        assert_eq!(set("", "[]"), "[]");
        let remove =
            |pointer: &'static str| after(text, move |edited| edited.remove(pointer) == Ok(true));
        assert_eq!(remove("/mood_from"), text.replace("\"mood_from\": \"calm\",\n  ", ""));
        assert_eq!(remove("/n"), text.replace(",\n  \"n\": 1.0", ""));
        assert_eq!(remove("/list/0"), text.replace("[1,2]", "[2]"));
        assert_eq!(after("{\"a\":1}", |edited| edited.remove("/a") == Ok(true)), "{}");
        assert_eq!(after("{}", |edited| edited.set("/a", "1").is_ok()), "{\"a\":1}");
    }

    #[test]
    fn what_cannot_be_done_changes_nothing() {
        let mut edited = EditedText::new("{\"a\": [1], \"b\": 2}".to_owned());
        assert_eq!(edited.set("/b/c", "1"), Err(EditError::Nowhere("/b/c".to_owned())));
        assert_eq!(edited.set("/a/2", "1"), Err(EditError::Nowhere("/a/2".to_owned())));
        assert_eq!(edited.set("a", "1"), Err(EditError::NotAPointer("a".to_owned())));
        assert_eq!(edited.set("/a", "1 2"), Err(EditError::ValueNotJson));
        assert_eq!(edited.remove("/c"), Ok(false));
        assert!(!edited.undo() && !edited.redo());
        assert_eq!(edited.as_str(), "{\"a\": [1], \"b\": 2}");
        let mut broken = EditedText::new("{".to_owned());
        assert_eq!(broken.set("/a", "1"), Err(EditError::NotJson));
        assert_eq!(broken.set("", "{}"), Ok(()));
    }
}
