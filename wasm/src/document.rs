//! A document that stays in the module while it is edited.

use onepath_core::{EditError, EditedDocument, NodeItem, Refusal};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::door::{self, Name, answer, optional, refuse, text};

/// A document (a scene file, a node with context or a bare config) that is edited: opened once, then
/// changed by pointers. What is asked of it is worked out when it is asked, and kept until the next
/// change. Its text changes at the edited places only.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Document {
    document: EditedDocument,
    report: Option<(u32, JsValue)>,
    /// The findings that were given last, as text and as a value: most changes leave them as they
    /// are, and then the same list is given again.
    findings: Option<(String, JsValue)>,
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
        let base = optional(base, Name::Options)?;
        let base = base.as_deref().unwrap_or("{}");
        let document = EditedDocument::new(door::document(document)?, base).map_err(refuse)?;
        Ok(Self { document, report: None, findings: None })
    }

    /// Puts a value at a pointer (RFC 6901). Objects that are missing on the way are made; at the end
    /// of a list, or at `-`, an item is added.
    pub fn set(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string")] pointer: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] value: &JsValue,
    ) -> Result<(), JsValue> {
        let (pointer, value) = (string(pointer)?, text(value, Name::Value)?);
        self.document.set(&pointer, &value).map_err(misuse)
    }

    /// The number of the field at a pointer, 0 if it has none: for `document.js`.
    #[wasm_bindgen(js_name = fieldNumber, skip_typescript)]
    pub fn field_number(&self, pointer: &str) -> u32 {
        self.document.field(pointer).unwrap_or(0)
    }

    /// Puts a number in a field; false if that needs `set`.
    #[wasm_bindgen(js_name = putNumber, skip_typescript)]
    pub fn put_number(&mut self, field: u32, value: f64) -> bool {
        self.document.set_number(field, value)
    }

    /// A number for what the findings are like.
    #[wasm_bindgen(skip_typescript)]
    pub fn state(&self) -> u32 {
        self.document.state()
    }

    /// Takes a member or an item away; false if there is none.
    pub fn remove(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string")] pointer: &JsValue,
    ) -> Result<bool, JsValue> {
        self.document.remove(&string(pointer)?).map_err(misuse)
    }

    /// Takes the last change back; false if there is none.
    pub fn undo(&mut self) -> bool {
        self.document.undo()
    }

    /// Makes the change again that was taken back last; false if there is none.
    pub fn redo(&mut self) -> bool {
        self.document.redo()
    }

    /// What `check` says about the document. The same object as long as the findings are the same.
    #[wasm_bindgen(unchecked_return_type = "Report")]
    pub fn report(&mut self) -> Result<JsValue, JsValue> {
        let state = self.document.state();
        if let Some((known, report)) = &self.report
            && *known == state
        {
            return Ok(report.clone());
        }
        let report = answer(self.document.report())?;
        self.report = Some((state, report.clone()));
        Ok(report)
    }

    /// The findings of the document. The same list as long as they are the same.
    #[wasm_bindgen(unchecked_return_type = "Finding[]")]
    pub fn findings(&mut self) -> Result<JsValue, JsValue> {
        let text = door::json(&self.document.report().findings());
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
    pub fn nodes(&mut self) -> Result<JsValue, JsValue> {
        answer(&self.document.items().iter().map(|item| &item.name).collect::<Vec<_>>())
    }

    /// The request of a node; `node` is its name, and need not be given if there is one only.
    ///
    /// @throws OnepathRefusal with the findings that stand in the way.
    #[wasm_bindgen(unchecked_return_type = "GenerateContentRequest")]
    pub fn request(
        &mut self,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] node: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let item = self.item(node)?;
        let Some(prepared) = self.document.prepare(item, false) else {
            return Ok(JsValue::UNDEFINED);
        };
        match prepared.made {
            Some((request, _)) => answer(&request),
            None => Err(refuse(Refusal::from_report(prepared.report))),
        }
    }

    /// Hashes, seed and cache key of a node.
    ///
    /// @throws OnepathRefusal with the findings that stand in the way.
    #[wasm_bindgen(unchecked_return_type = "Fingerprint")]
    pub fn fingerprint(
        &mut self,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] node: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let item = self.item(node)?;
        match self.document.fingerprint(item) {
            Some(print) => answer(print.map_err(refuse)?),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Walks a node along the whole path at once, with pointers into the document: every finding
    /// of it, and request, fingerprint and canonical text unless something stands in the way.
    #[wasm_bindgen(unchecked_return_type = "Prepared")]
    pub fn prepare(
        &mut self,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] node: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let item = self.item(node)?;
        self.document
            .prepare(item, true)
            .map_or(Ok(JsValue::UNDEFINED), |prepared| answer(&prepared))
    }

    /// The text of the document.
    #[wasm_bindgen(js_name = toString, unchecked_return_type = "string")]
    pub fn text(&mut self) -> Result<JsValue, JsValue> {
        answer(&self.document.text())
    }

    /// The document as a value.
    #[wasm_bindgen(js_name = toJSON, unchecked_return_type = "unknown")]
    pub fn json(&mut self) -> Result<JsValue, JsValue> {
        door::parse(self.document.text())
    }

    /// The item of a name; the only one if no name is given.
    fn item(&mut self, node: &JsValue) -> Result<usize, JsValue> {
        let node = if node.is_undefined() { None } else { Some(string(node)?) };
        let items = self.document.items();
        let fits = |item: &NodeItem<'_>| node.as_ref().is_none_or(|node| *node == item.name);
        let first = items.iter().position(fits);
        let misfit = match first {
            Some(_) if node.is_none() && items.len() > 1 => {
                "the document has several nodes: name one"
            }
            Some(first) => return Ok(first),
            None if node.is_none() || items.is_empty() => {
                let faults = self.document.faults().to_vec();
                return Err(refuse(Refusal::from_findings(faults)));
            }
            None => "the document has no node of that name",
        };
        Err(door::misuse(misfit))
    }
}

/// An argument that must be text. The bindings' own conversion would trust it to be.
fn string(value: &JsValue) -> Result<String, JsValue> {
    value.as_string().ok_or_else(|| door::misuse("a pointer or a name is text"))
}

#[allow(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn misuse(error: EditError) -> JsValue {
    door::misuse(&error.to_string())
}
