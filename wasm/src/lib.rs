//! The path for JavaScript. Every export is a few lines over a function of `onepath-core`.
//!
//! A value comes in as the JSON text of it (`door.js` makes the text and refuses what has none), is
//! read by core's own decoder, and the answer goes out as JSON text for `JSON.parse`: the same
//! bytes that every other door reads and writes, whatever a member is called.

mod document;
mod door;

use door::{Name, answer, optional, read, refuse, text};
use onepath_core::{
    BuildOptions, CONTRACT_VERSION, Fingerprint, GenerateContentRequest, Map, NodeParts, OwnBounds,
    PriceTable, ProviderInfo, Report, SceneFile, Text,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// Half the size of the standard library's allocator, and faster.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

type Answer = Result<JsValue, JsValue>;

/// Reads config and options and gives them to `then`.
fn node<T>(
    config: &JsValue,
    options: &JsValue,
    then: impl FnOnce(&NodeParts<'_>) -> Result<T, JsValue>,
) -> Result<T, JsValue> {
    let (config, options) = (text(config, Name::Config)?, optional(options, Name::Options)?);
    then(&NodeParts::read(&config, options.as_deref().unwrap_or("{}")))
}

fn report(config: &JsValue, context: &JsValue) -> Result<Report, JsValue> {
    node(config, context, |parts| Ok(parts.check()))
}

fn print(config: &JsValue, options: &JsValue) -> Result<Fingerprint, JsValue> {
    node(config, options, |parts| parts.prepare().map(|made| made.1).map_err(refuse))
}

/// Builds the request of a config: the only way from a config and its context to a request.
///
/// @throws OnepathRefusal with the findings that stand in the way.
#[wasm_bindgen(js_name = buildGenerateContentRequest, unchecked_return_type = "GenerateContentRequest")]
pub fn build_generate_content_request(
    #[wasm_bindgen(unchecked_param_type = "GenerationNodeConfig")] config: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "BuildRequestOptions")] options: &JsValue,
) -> Answer {
    node(config, options, |parts| answer(&parts.prepare().map_err(refuse)?.0))
}

/// Walks the whole path at once: every finding, and request, fingerprint and canonical text unless
/// something stands in the way. What an editor shows beside a node.
#[wasm_bindgen(unchecked_return_type = "Prepared")]
pub fn prepare(
    #[wasm_bindgen(unchecked_param_type = "unknown")] config: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "BuildRequestOptions")] options: &JsValue,
) -> Answer {
    node(config, options, |parts| answer(&parts.walk()))
}

/// Hashes, seed and cache key of a request. `provider` is what the asked provider declares, if it is
/// none of those known here.
///
/// @throws OnepathRefusal if this is no request, or its strategy needs an id that it lacks.
#[wasm_bindgen(js_name = fingerprintRequest, unchecked_return_type = "Fingerprint")]
pub fn fingerprint_request(
    #[wasm_bindgen(unchecked_param_type = "GenerateContentRequest")] request: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "ProviderInfo")] provider: &JsValue,
) -> Answer {
    let (request, provider) = (text(request, Name::Request)?, optional(provider, Name::Provider)?);
    let provider = provider.as_deref().map(read::<ProviderInfo<'_>>).transpose()?;
    let request = read::<GenerateContentRequest<'_>>(&request)?;
    answer(&onepath_core::fingerprint(&request, provider.as_ref()).map_err(refuse)?)
}

/// Hashes, seed and cache key of the request that a config and its context make.
///
/// @throws OnepathRefusal with the findings that stand in the way.
#[wasm_bindgen(unchecked_return_type = "Fingerprint")]
pub fn fingerprint(
    #[wasm_bindgen(unchecked_param_type = "GenerationNodeConfig")] config: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "BuildRequestOptions")] options: &JsValue,
) -> Answer {
    answer(&print(config, options)?)
}

/// Where the result is stored and looked for. Undefined for the strategy `always`, and while a
/// template or provider is not known here.
///
/// @throws OnepathRefusal with the findings that stand in the way.
#[wasm_bindgen(js_name = computeCacheKey, unchecked_return_type = "string | undefined")]
pub fn compute_cache_key(
    #[wasm_bindgen(unchecked_param_type = "GenerationNodeConfig")] config: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "CacheKeyOptions")] options: &JsValue,
) -> Answer {
    print(config, options)?.cache_key.map_or(Ok(JsValue::UNDEFINED), |key| answer(&key))
}

/// The canonical text (RFC 8785) of the identity of the request that a config and its context
/// make: what `family_hash` is the hash of. Undefined while something is pending.
///
/// @throws OnepathRefusal with the findings that stand in the way.
#[wasm_bindgen(js_name = canonicalIdentity, unchecked_return_type = "string | undefined")]
pub fn canonical_identity(
    #[wasm_bindgen(unchecked_param_type = "GenerationNodeConfig")] config: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "BuildRequestOptions")] options: &JsValue,
) -> Answer {
    let print = print(config, options)?;
    print.canonical().map_or(Ok(JsValue::UNDEFINED), |text| answer(&text))
}

/// Computes how a player stands to the npcs of a scene.
///
/// @throws OnepathRefusal if an entry of the session is of another type than it should be.
#[wasm_bindgen(js_name = buildSocialContext, unchecked_return_type = "GenerationSocialContext")]
pub fn build_social_context(
    #[wasm_bindgen(unchecked_param_type = "Session | null | undefined")] session: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "World | null")] world: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "readonly Id[] | null", js_name = npcIds)]
    npc_ids: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "SocialContextConfig | null")] config: &JsValue,
) -> Answer {
    let part = |value, name| Ok::<_, JsValue>(optional(value, name)?.unwrap_or("null".to_owned()));
    let all = format!(
        r#"{{"session":{},"world":{},"npcIds":{},"socialContextConfig":{}}}"#,
        part(session, Name::Session)?,
        part(world, Name::World)?,
        part(npc_ids, Name::NpcIds)?,
        part(config, Name::Config)?,
    );
    let options = read::<BuildOptions<'_>>(&all)?;
    answer(&onepath_core::build_social_context(&options).map_err(refuse)?)
}

/// Checks a config with as much of its context as is given. Pointers of findings about the context
/// start with `/options`.
#[wasm_bindgen(js_name = validateGenerationNode, unchecked_return_type = "Report")]
pub fn validate_generation_node(
    #[wasm_bindgen(unchecked_param_type = "unknown")] config: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "ValidationContext")] context: &JsValue,
) -> Answer {
    answer(&report(config, context)?)
}

/// Whether nothing about a config is an error.
#[wasm_bindgen(js_name = isGenerationNodeValid)]
pub fn is_generation_node_valid(
    #[wasm_bindgen(unchecked_param_type = "unknown")] config: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "ValidationContext")] context: &JsValue,
) -> Result<bool, JsValue> {
    Ok(report(config, context)?.is_valid())
}

/// The worst of error and warning, else ok.
#[wasm_bindgen(js_name = getValidationStatus, unchecked_return_type = "Status")]
pub fn get_validation_status(
    #[wasm_bindgen(unchecked_param_type = "unknown")] config: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "ValidationContext")] context: &JsValue,
) -> Answer {
    answer(&report(config, context)?.status())
}

/// Such as `2 errors, 1 warning`, or `All checks passed`.
#[wasm_bindgen(js_name = getValidationSummary, unchecked_return_type = "string")]
pub fn get_validation_summary(
    #[wasm_bindgen(unchecked_param_type = "unknown")] config: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "ValidationContext")] context: &JsValue,
) -> Answer {
    answer(&report(config, context)?.summary())
}

/// Checks a document (a scene file, a node with context or a bare config; its JSON text or a value)
/// as `onepath check` does. `base` is the context known beside the document.
#[wasm_bindgen(unchecked_return_type = "Report")]
pub fn check(
    #[wasm_bindgen(unchecked_param_type = "unknown")] document: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "BuildRequestOptions")] base: &JsValue,
) -> Answer {
    let (document, base) = (door::document(document)?, optional(base, Name::Options)?);
    let base = read::<BuildOptions<'_>>(base.as_deref().unwrap_or("{}"))?;
    answer(&onepath_core::check(&document, &base))
}

/// The fields in which two requests differ, those that matter to the key first. `providers` are
/// what the asked providers of the two declare, if they are none of those known here.
///
/// @throws OnepathRefusal if one of them is no request.
#[wasm_bindgen(unchecked_return_type = "Difference[]")]
pub fn explain(
    #[wasm_bindgen(unchecked_param_type = "GenerateContentRequest")] left: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "GenerateContentRequest")] right: &JsValue,
    #[wasm_bindgen(
        unchecked_optional_param_type = "readonly ProviderInfo[]",
        js_name = providers
    )]
    known: &JsValue,
) -> Answer {
    let (left, right) = (text(left, Name::Left)?, text(right, Name::Right)?);
    let known = optional(known, Name::Providers)?;
    let known = read::<Vec<ProviderInfo<'_>>>(known.as_deref().unwrap_or("[]"))?;
    let left = read::<GenerateContentRequest<'_>>(&left)?;
    let right = read::<GenerateContentRequest<'_>>(&right)?;
    let provider = |request: &GenerateContentRequest<'_>| {
        known.iter().find(|provider| Some(&provider.id) == request.provider_id.as_ref())
    };
    answer(&onepath_core::explain(&left, &right, [provider(&left), provider(&right)]))
}

/// The canonical text (RFC 8785) of any JSON value.
///
/// @throws OnepathRefusal if the value has a lone surrogate, or is nested too deeply.
#[wasm_bindgen(unchecked_return_type = "string")]
pub fn canonicalize(#[wasm_bindgen(unchecked_param_type = "unknown")] value: &JsValue) -> Answer {
    answer(&onepath_core::canonicalize(&text(value, Name::Value)?).map_err(refuse)?)
}

/// Puts values in the places of a text: `{{ name }}`.
///
/// @throws OnepathRefusal that names every variable that is missing or no text, number or boolean.
#[wasm_bindgen(js_name = renderPrompt, unchecked_return_type = "string")]
pub fn render_prompt(
    #[wasm_bindgen(unchecked_param_type = "string")] template: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "Record<string, unknown>")] variables: &JsValue,
) -> Answer {
    let (template, variables) =
        (text(template, Name::Template)?, optional(variables, Name::Variables)?);
    let template = read::<Text<'_>>(&template)?;
    let variables = read::<Map<'_>>(variables.as_deref().unwrap_or("{}"))?;
    answer(&onepath_core::render_prompt(&template, &variables).map_err(refuse)?)
}

/// What a run of a request is expected to cost. Rows of `prices` count before those known here.
#[wasm_bindgen(js_name = estimatePrice, unchecked_return_type = "Estimate")]
pub fn estimate_price(
    #[wasm_bindgen(unchecked_param_type = "GenerateContentRequest")] request: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "PriceTable")] prices: &JsValue,
) -> Answer {
    let (request, prices) = (text(request, Name::Request)?, optional(prices, Name::Prices)?);
    let prices = read::<PriceTable<'_>>(prices.as_deref().unwrap_or("{}"))?;
    let request = read::<GenerateContentRequest<'_>>(&request)?;
    answer(&onepath_core::estimate_price(&request, Some(&prices)))
}

/// A request under the bounds of another door, such as those of a server's preflight: it only ever
/// lowers.
#[wasm_bindgen(unchecked_return_type = "Rebound")]
pub fn rebound(
    #[wasm_bindgen(unchecked_param_type = "GenerateContentRequest")] request: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "OwnBounds")] bounds: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "ProviderInfo")] provider: &JsValue,
) -> Answer {
    let (request, bounds) = (text(request, Name::Request)?, text(bounds, Name::Bounds)?);
    let provider = optional(provider, Name::Provider)?;
    let provider = provider.as_deref().map(read::<ProviderInfo<'_>>).transpose()?;
    let request = read::<GenerateContentRequest<'_>>(&request)?;
    answer(&onepath_core::rebound(&request, read::<OwnBounds>(&bounds)?, provider.as_ref()))
}

/// Every generation type with the operation that it stands for.
#[wasm_bindgen(js_name = generationOperations, unchecked_return_type = "OperationRow[]")]
pub fn generation_operations() -> Answer {
    answer(&onepath_core::generation_operations())
}

/// The providers that are known without being told.
#[wasm_bindgen(unchecked_return_type = "ProviderInfo[]")]
pub fn providers() -> Answer {
    answer(&onepath_core::providers())
}

/// Takes a cache key apart; undefined if the text is none.
#[wasm_bindgen(js_name = parseCacheKey, unchecked_return_type = "CacheKeyParts | undefined")]
pub fn parse_cache_key(#[wasm_bindgen(unchecked_param_type = "string")] key: &JsValue) -> Answer {
    let parts = key.as_string().and_then(|key| onepath_core::parse_cache_key(&key).ok());
    parts.map_or(Ok(JsValue::UNDEFINED), |parts| answer(&parts))
}

/// Reads a scene file (its JSON text or a value), each field in its one spelling.
///
/// @throws OnepathRefusal with every fault of reading.
#[wasm_bindgen(js_name = parseSceneFile, unchecked_return_type = "SceneFile")]
pub fn parse_scene_file(
    #[wasm_bindgen(unchecked_param_type = "unknown")] file: &JsValue,
) -> Answer {
    answer(&read::<SceneFile<'_>>(&door::document(file)?)?)
}

/// The version of the contract by which hashes and keys are made.
#[wasm_bindgen(js_name = contractVersion)]
#[must_use]
pub fn contract_version() -> u32 {
    CONTRACT_VERSION
}
