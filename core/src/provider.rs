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
        /// The value that stands where the block gives none; part of the identity.
        default: Option<AnyValue<'a>> = "default" (only);
        /// The operations it belongs to; all if absent. A name may be declared once for each
        /// operation, with another default or other values.
        operations: Option<Vec<Operation>> = "operations";
    }
}

impl ProviderParameter<'_> {
    /// Whether it belongs to an operation; to all, as long as the operation is not known.
    #[must_use]
    pub fn belongs_to(&self, operation: Option<Operation>) -> bool {
        match (&self.operations, operation) {
            (Some(own), Some(operation)) => own.contains(&operation),
            _ => true,
        }
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

impl<'a> ProviderInfo<'a> {
    /// The declared default of a setting for an operation: the provider's, else the parameter's.
    #[must_use]
    pub fn default_of(&self, name: &str, operation: Option<Operation>) -> Option<&AnyValue<'a>> {
        self.defaults_for(operation).find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The settings that stand where a block gives none. A name may come twice: the first counts.
    pub(crate) fn defaults_for(
        &self,
        operation: Option<Operation>,
    ) -> impl Iterator<Item = (&str, &AnyValue<'a>)> {
        let of_provider = self.defaults.iter().flat_map(|defaults| defaults.iter());
        let parameters = self.parameters.iter().flatten();
        of_provider.chain(parameters.filter(move |one| one.belongs_to(operation)).filter_map(
            |parameter| parameter.default.as_ref().map(|value| (parameter.name.as_str(), value)),
        ))
    }
}

/// The providers that are known without being told.
///
/// ```
/// let ids: Vec<_> = onepath_core::providers().iter().map(|info| info.id.as_str()).collect();
/// assert_eq!(ids, ["local", "replicate", "pixverse", "fal", "comfyui", "openai"]);
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
        assert_eq!(providers().len(), 6);
    }
}
