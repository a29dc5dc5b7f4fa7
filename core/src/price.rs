//! Prices: an estimate before anything is paid, in integers only.
//!
//! The table is data (`data/prices.json`, and what operators add by file). A price that nobody
//! stated is absent: an estimate says whether it is known.

use std::sync::OnceLock;

use crate::decode::{Text, decode, record};
use crate::id::Id;
use crate::json::number::Integer;
use crate::json::value::{Map, Value};
use crate::operation::Operation;
use crate::request::GenerateContentRequest;

record! {
    /// One price: what a run costs when everything that the row names is so.
    pub struct PriceRow<'a>("a price", unknown: refuse) {
        /// The provider.
        provider: Id<'a> = "provider", required JsonEmptyId;
        /// The operation; any if absent.
        operation: Option<Operation> = "operation";
        /// Settings that must have these values; a setting that the request does not give counts
        /// as the row's `defaults` say.
        settings: Option<Map<'a>> = "settings";
        /// Values that settings have at the provider when they are not given.
        defaults: Option<Map<'a>> = "defaults";
        /// Micro-dollars a run.
        micros: Option<Integer> = "micros";
        /// The provider's credits a run.
        credits: Option<Integer> = "credits";
        /// Where the price was read.
        source: Option<Text<'a>> = "source";
    }
}

record! {
    /// A table of prices; the first row that fits counts.
    #[derive(Default)]
    pub struct PriceTable<'a>("a price table", unknown: file) {
        /// The rows.
        prices: Option<Vec<PriceRow<'a>>> = "prices";
    }
}

/// What a run is expected to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Estimate {
    /// Micro-dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micros: Option<u64>,
    /// The provider's credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<u64>,
    /// Whether a price is known.
    pub known: bool,
}

/// The prices that are known without being told.
#[must_use]
pub fn prices() -> &'static PriceTable<'static> {
    static SHIPPED: OnceLock<PriceTable<'static>> = OnceLock::new();
    // A test proves that the data decodes without a fault.
    SHIPPED.get_or_init(|| decode(include_str!("../data/prices.json")).value.unwrap_or_default())
}

/// What a run of this request is expected to cost. Rows of `own` count before ours.
///
/// ```
/// use onepath_core::{GenerateContentRequest, decode, estimate_price};
///
/// let price = |provider: &str, settings: &str| {
///     let text = format!(r#"{{"type": "text_to_image", "purpose": "ambient", "strategy": "once",
///         "provider_id": "{provider}", "provider_settings": {settings}}}"#);
///     let request = decode::<GenerateContentRequest>(&text).into_result().unwrap();
///     serde_json::to_string(&estimate_price(&request, None)).unwrap()
/// };
/// assert_eq!(price("local", "{}"), r#"{"micros":0,"credits":0,"known":true}"#);
/// assert_eq!(price("pixverse", "{}"), r#"{"credits":5,"known":true}"#);
/// assert_eq!(price("pixverse", r#"{"model": "v9"}"#), r#"{"known":false}"#);
/// ```
#[must_use]
pub fn estimate_price(
    request: &GenerateContentRequest<'_>,
    own: Option<&PriceTable<'_>>,
) -> Estimate {
    let rows = own
        .into_iter()
        .chain([prices()])
        .flat_map(|table| table.prices.as_deref().unwrap_or_default());
    let fitting = rows.into_iter().find(|row| fits(row, request));
    let amount =
        |amount: Option<Integer>| amount.and_then(|amount| u64::try_from(amount.get()).ok());
    match fitting {
        Some(row) => {
            let (micros, credits) = (amount(row.micros), amount(row.credits));
            Estimate { micros, credits, known: micros.is_some() || credits.is_some() }
        }
        None => Estimate { micros: None, credits: None, known: false },
    }
}

fn fits(row: &PriceRow<'_>, request: &GenerateContentRequest<'_>) -> bool {
    let asked = request.provider_id.as_ref().is_some_and(|id| *id == row.provider);
    let operation = row.operation.is_none_or(|operation| operation == request.operation());
    asked
        && operation
        && row.settings.as_ref().is_none_or(|settings| {
            settings.iter().all(|(name, wanted)| {
                let given = request.provider_settings.as_ref().and_then(|all| all.get(name));
                let value = given.or_else(|| row.defaults.as_ref().and_then(|all| all.get(name)));
                value.is_some_and(|value| same(value, wanted))
            })
        })
}

/// Names of models and qualities are compared without case, as the provider does.
fn same(value: &Value<'_>, wanted: &Value<'_>) -> bool {
    match (value, wanted) {
        (Value::Text(value), Value::Text(wanted)) => value.eq_ignore_ascii_case(wanted),
        (value, wanted) => value == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_prices_decode_without_a_fault() {
        let read = decode::<PriceTable<'static>>(include_str!("../data/prices.json"));
        assert_eq!(read.faults, []);
        assert!(prices().prices.as_ref().is_some_and(|rows| rows.len() > 10));
    }
}
