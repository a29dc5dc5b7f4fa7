//! A request as the input of a model in fal's queue. Pure.

use onepath_core::{GenerateContentRequest, ProviderInfo};

use crate::provider::models::Models;
use crate::provider::params::{Params, Places};
use crate::provider::port::Refusal;

/// The path and body of a submission: a model is named by its path, and its input is the body.
pub(super) fn params(
    request: &GenerateContentRequest<'_>,
    places: &Places,
    models: &Models,
    info: &ProviderInfo<'_>,
) -> Result<Params, Refusal> {
    let default = info.default_of("model", Some(request.operation()));
    let (name, model) = models.of(request, default.and_then(|default| default.as_text()))?;
    Ok(Params::json(format!("/{name}"), model.input(request, places)?))
}
