//! What providers declare. Those we ship are data: `data/providers.json`.

use std::sync::OnceLock;

use crate::context::Terms;
use crate::decode::{Text, decode, record, words};
use crate::id::Id;
use crate::json::number::{Integer, Number};
use crate::json::value::{Map, Value};
use crate::operation::Operation;
use crate::rating::{Rating, bound};

words! {
    /// The kind of value a setting takes.
    pub enum ParameterType: JsonUnknownWord {
        /// Text.
        Text = "text",
        /// A whole number.
        Integer = "integer",
        /// A number.
        Number = "number",
        /// True or false.
        Boolean = "boolean",
    }
}

record! {
    /// One setting that a provider declares.
    pub struct ProviderParameter<'a>("a provider's parameter", unknown: refuse) {
        /// Its name in the provider's block.
        name: Id<'a> = "name", required JsonEmptyId;
        /// The kind of its value.
        kind: Option<ParameterType> = "type" (only);
        /// What it does.
        description: Option<Text<'a>> = "description";
        /// The values it takes, if they are a closed set.
        values: Option<Vec<AnyValue<'a>>> = "enum" (only);
        /// The smallest value.
        min: Option<Number> = "min";
        /// The largest value.
        max: Option<Number> = "max";
        /// The operations it belongs to; all if absent.
        operations: Option<Vec<Operation>> = "operations";
    }
}

/// A value of a declared set.
pub type AnyValue<'a> = Value<'a>;

record! {
    /// What a provider declares about itself.
    pub struct ProviderInfo<'a>("a provider", unknown: refuse) {
        /// Its id.
        id: Id<'a> = "id", required JsonEmptyId;
        /// Which description this is.
        revision: Option<Id<'a>> = "revision" with crate::id::optional as Option<crate::id::Optional>;
        /// What it can be asked to do.
        operations: Option<Vec<Operation>> = "operations";
        /// The settings of its block.
        parameters: Option<Vec<ProviderParameter<'a>>> = "parameters";
        /// The longest prompt, in Unicode scalar values.
        prompt_max: Option<Integer> = "promptMax";
        /// The highest rating it makes.
        max_rating: Option<Rating> = "maxRating" with bound;
        /// Terms that it blocks or flags.
        terms: Option<Terms<'a>> = "terms";
        /// Settings that stand where the block gives none; part of the identity.
        defaults: Option<Map<'a>> = "defaults";
    }
}

/// The providers that are known without being told.
///
/// ```
/// let ids: Vec<_> = onepath_core::providers().iter().map(|info| info.id.as_str()).collect();
/// assert_eq!(ids, ["local", "replicate", "pixverse"]);
/// ```
#[must_use]
pub fn providers() -> &'static [ProviderInfo<'static>] {
    static SHIPPED: OnceLock<Vec<ProviderInfo<'static>>> = OnceLock::new();
    // A test proves that the data decodes without a fault.
    SHIPPED.get_or_init(|| {
        decode::<Vec<ProviderInfo<'static>>>(include_str!("../data/providers.json"))
            .value
            .unwrap_or_default()
    })
}

/// A provider that we ship.
pub(crate) fn shipped(id: &str) -> Option<&'static ProviderInfo<'static>> {
    providers().iter().find(|info| info.id.as_str() == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_providers_decode_without_a_fault() {
        let read = decode::<Vec<ProviderInfo<'static>>>(include_str!("../data/providers.json"));
        assert_eq!(read.faults, []);
        assert_eq!(providers().len(), 3);
    }
}
