//! A document that stays in the module while it is edited.

use onepath_core::{
    BuildOptions, EditError, EditedText, Fingerprint, GenerateContentRequest, Prepared, Refusal,
    Report, read_document,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::door::{self, Name, answer, optional, read, refuse, text};

/// A document (a scene file, a node with context or a bare config) that is edited: opened once, then
/// changed by pointers. What is asked of it is worked out when it is asked, and kept until the next
/// change. Its text changes at the edited places only.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Document {
    text: EditedText,
    base: String,
    /// What was found, until the next change.
    found: Option<Report>,
    report: Option<JsValue>,
    /// The findings that were given last, as text and as a value: most changes leave them as they
    /// are, and then the same list is given again.
    findings: Option<(String, JsValue)>,
    fresh: bool,
}

#[wasm_bindgen]
impl Document {
    /// Opens a document: its JSON text, or a value. `base` is the context known beside it: session,
    /// world, user, provider.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "unknown")] document: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "BuildRequestOptions")] base: &JsValue,
    ) -> Result<Document, JsValue> {
        let base = optional(base, Name::Options)?.unwrap_or_else(|| "{}".to_owned());
        read::<BuildOptions<'_>>(&base)?;
        let text = EditedText::new(door::document(document)?);
        Ok(Self { text, base, found: None, report: None, findings: None, fresh: false })
    }

    /// Puts a value at a pointer (RFC 6901). Objects that are missing on the way are made; at the end
    /// of a list, or at `-`, an item is added.
    pub fn set(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string")] pointer: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] value: &JsValue,
    ) -> Result<(), JsValue> {
        let (pointer, value) = (string(pointer)?, text(value, Name::Value)?);
        self.text.set(&pointer, &value).map_err(misuse)?;
        self.changed(true);
        Ok(())
    }

    /// Takes a member or an item away; false if there is none.
    pub fn remove(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string")] pointer: &JsValue,
    ) -> Result<bool, JsValue> {
        let removed = self.text.remove(&string(pointer)?).map_err(misuse)?;
        Ok(self.changed(removed))
    }

    /// Takes the last change back; false if there is none.
    pub fn undo(&mut self) -> bool {
        let undone = self.text.undo();
        self.changed(undone)
    }

    /// Makes the change again that was taken back last; false if there is none.
    pub fn redo(&mut self) -> bool {
        let redone = self.text.redo();
        self.changed(redone)
    }

    /// What `check` says about the document. The same object until the document changes.
    #[wasm_bindgen(unchecked_return_type = "Report")]
    pub fn report(&mut self) -> Result<JsValue, JsValue> {
        if let Some(report) = &self.report {
            return Ok(report.clone());
        }
        let report = answer(self.checked()?)?;
        self.report = Some(report.clone());
        Ok(report)
    }

    /// The findings of the document. The same list as long as they are the same.
    #[wasm_bindgen(unchecked_return_type = "Finding[]")]
    pub fn findings(&mut self) -> Result<JsValue, JsValue> {
        if self.fresh
            && let Some((_, value)) = &self.findings
        {
            return Ok(value.clone());
        }
        let text = door::json(&self.checked()?.findings());
        self.fresh = true;
        if let Some((known, value)) = &self.findings
            && *known == text
        {
            return Ok(value.clone());
        }
        let value = door::parse(&text)?;
        self.findings = Some((text, value.clone()));
        Ok(value)
    }

    /// The names of its nodes, and of its edges that generate.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn nodes(&self) -> Result<JsValue, JsValue> {
        let base = read::<BuildOptions<'_>>(&self.base)?;
        let document = read_document(self.text.as_str(), &base);
        answer(&document.items.iter().map(|item| &item.name).collect::<Vec<_>>())
    }

    /// The request of a node; `node` is its name, and need not be given if there is one only.
    ///
    /// @throws OnepathRefusal with the findings that stand in the way.
    #[wasm_bindgen(unchecked_return_type = "GenerateContentRequest")]
    pub fn request(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] node: &JsValue,
    ) -> Result<JsValue, JsValue> {
        self.walked(node, &|prepared| answer(&made(prepared)?.0))
    }

    /// Hashes, seed and cache key of a node.
    ///
    /// @throws OnepathRefusal with the findings that stand in the way.
    #[wasm_bindgen(unchecked_return_type = "Fingerprint")]
    pub fn fingerprint(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] node: &JsValue,
    ) -> Result<JsValue, JsValue> {
        self.walked(node, &|prepared| answer(&made(prepared)?.1))
    }

    /// Walks a node along the whole path at once, with pointers into the document: every finding
    /// of it, and request, fingerprint and canonical text unless something stands in the way.
    #[wasm_bindgen(unchecked_return_type = "Prepared")]
    pub fn prepare(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] node: &JsValue,
    ) -> Result<JsValue, JsValue> {
        self.walked(node, &|prepared| answer(&prepared))
    }

    /// The text of the document.
    #[wasm_bindgen(js_name = toString, unchecked_return_type = "string")]
    pub fn text(&self) -> Result<JsValue, JsValue> {
        answer(&self.text.as_str())
    }

    /// The document as a value.
    #[wasm_bindgen(js_name = toJSON, unchecked_return_type = "unknown")]
    pub fn json(&self) -> Result<JsValue, JsValue> {
        door::parse(self.text.as_str())
    }

    /// Forgets what was worked out of the document before it changed.
    fn changed(&mut self, changed: bool) -> bool {
        if changed {
            (self.found, self.report, self.fresh) = (None, None, false);
        }
        changed
    }

    fn checked(&mut self) -> Result<&Report, JsValue> {
        let found = match self.found.take() {
            Some(found) => found,
            None => {
                let base = read::<BuildOptions<'_>>(&self.base)?;
                onepath_core::check(self.text.as_str(), &base)
            }
        };
        Ok(self.found.insert(found))
    }

    /// One walk for all three answers: the path is in the module once.
    fn walked(
        &self,
        node: &JsValue,
        then: &dyn Fn(Prepared<'_>) -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue> {
        let node = if node.is_undefined() { None } else { Some(string(node)?) };
        let base = read::<BuildOptions<'_>>(&self.base)?;
        let document = read_document(self.text.as_str(), &base);
        let mut fitting = document
            .items
            .iter()
            .filter(|item| node.as_ref().is_none_or(|node| *node == item.name));
        let item = match (fitting.next(), fitting.next()) {
            (Some(item), None) => item,
            (Some(_), Some(_)) if node.is_none() => {
                return Err(door::misuse("the document has several nodes: name one"));
            }
            (Some(item), Some(_)) => item,
            (None, _) if node.is_none() || document.items.is_empty() => {
                return Err(refuse(Refusal::from_findings(document.findings)));
            }
            (None, _) => return Err(door::misuse("the document has no node of that name")),
        };
        then(document.prepare(item))
    }
}

/// Request and fingerprint, or why there are none.
fn made(prepared: Prepared<'_>) -> Result<(GenerateContentRequest<'_>, Fingerprint), JsValue> {
    prepared.made.ok_or_else(|| refuse(Refusal::from_report(prepared.report)))
}

/// An argument that must be text. The bindings' own conversion would trust it to be.
fn string(value: &JsValue) -> Result<String, JsValue> {
    value.as_string().ok_or_else(|| door::misuse("a pointer or a name is text"))
}

#[allow(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn misuse(error: EditError) -> JsValue {
    door::misuse(&error.to_string())
}
