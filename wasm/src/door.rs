//! Values to JSON text and back.

use onepath_core::{Decode, Refusal, decode};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen(module = "/door.js")]
extern "C" {
    /// The JSON text of a value. Throws a `TypeError` for what has none.
    #[wasm_bindgen(catch, js_name = toText)]
    fn to_text(value: &JsValue, name: u32) -> Result<String, JsValue>;

    /// The value of a JSON text. Throws a `SyntaxError` for what is none.
    #[wasm_bindgen(catch, js_name = toValue)]
    pub(crate) fn parse(text: &str) -> Result<JsValue, JsValue>;

    /// A `TypeError`.
    #[wasm_bindgen(js_name = toMisuse)]
    pub(crate) fn misuse(message: &str) -> JsValue;

    /// The error that a list of findings is thrown as.
    #[wasm_bindgen(js_name = toRefusal)]
    fn to_refusal(findings: &str) -> JsValue;
}

/// What an argument is called in messages: its place in the list of `door.js`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name {
    Config,
    Options,
    Session,
    World,
    NpcIds,
    Left,
    Right,
    Providers,
    Value,
    Template,
    Variables,
    Request,
    Prices,
    Bounds,
    Provider,
    Document,
}

/// The text of an argument.
pub(crate) fn text(value: &JsValue, name: Name) -> Result<String, JsValue> {
    to_text(value, name as u32)
}

/// The text of an argument that may be absent.
pub(crate) fn optional(value: &JsValue, name: Name) -> Result<Option<String>, JsValue> {
    if value.is_undefined() || value.is_null() { Ok(None) } else { text(value, name).map(Some) }
}

/// The text of a document: given as such, or that of a value.
pub(crate) fn document(value: &JsValue) -> Result<String, JsValue> {
    value.as_string().map_or_else(|| text(value, Name::Document), Ok)
}

/// Reads one value; a fault of reading refuses it.
pub(crate) fn read<'t, T: Decode<'t>>(text: &'t str) -> Result<T, JsValue> {
    decode::<T>(text).into_result().map_err(refuse)
}

/// What a refusal is thrown as.
#[allow(clippy::needless_pass_by_value, reason = "given to `map_err`")]
pub(crate) fn refuse(refusal: Refusal) -> JsValue {
    to_refusal(&json(&refusal.findings()))
}

/// An answer as a plain value.
pub(crate) fn answer(value: &impl serde::Serialize) -> Result<JsValue, JsValue> {
    parse(&json(value))
}

pub(crate) fn json(value: &impl serde::Serialize) -> String {
    // The types of core always have a text: their maps have text for names.
    onepath_core::to_json(value).unwrap_or_default()
}
