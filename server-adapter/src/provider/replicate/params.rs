//! A request as the body of a prediction. Pure.

use onepath_core::{GenerateContentRequest, ProviderInfo};
use serde_json::Map;

use crate::provider::models::Models;
use crate::provider::params::{Params, Places};
use crate::provider::port::Refusal;

/// The path and body of `POST /predictions`. A model is named `owner/name`, for the newest version
/// of an official model, or with `:` and the version that is set up.
pub(super) fn params(
    request: &GenerateContentRequest<'_>,
    places: &Places,
    models: &Models,
    info: &ProviderInfo<'_>,
) -> Result<Params, Refusal> {
    let default = info.default_of("model", Some(request.operation()));
    let (name, model) = models.of(request, default.and_then(|default| default.as_text()))?;
    let version = match &model.version {
        Some(version) => format!("{name}:{version}"),
        None => name.to_owned(),
    };
    let mut body = Map::new();
    body.insert("version".to_owned(), version.into());
    body.insert("input".to_owned(), model.input(request, places)?.into());
    Ok(Params::json("/predictions", body))
}
