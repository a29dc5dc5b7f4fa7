//! Fingerprints: hashes, seed and key of a request.

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::codes::Code;
use crate::finding::{Finding, Refusal};
use crate::identity::View;
use crate::json::text::JsonText;
use crate::key::{scope_text, write_key};
use crate::operation::Operation;
use crate::provider::ProviderInfo;
use crate::rating::{Band, RatingTrail};
use crate::request::GenerateContentRequest;
use crate::seed::Seed;
use crate::words::{SeedSource, Strategy};

mod kept;

pub(crate) use kept::{Kept, Part};

/// The version of the contract by which hashes and keys are made.
pub const CONTRACT_VERSION: u32 = 1;

const FAMILY: &str = "onepath/v1/family\n";
const REQUEST: &str = "onepath/v1/request\n";
const SEED: &str = "onepath/v1/seed\n";

/// A SHA-256 hash; on the wire 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn hex(self) -> Hex {
        let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
        let mut out = [[0; 2]; 32];
        for (pair, byte) in out.iter_mut().zip(&self.0) {
            *pair = [digit(*byte >> 4), digit(*byte & 15)];
        }
        Hex(out)
    }
}

/// The digits of a hash, without an allocation.
struct Hex([[u8; 2]; 32]);

impl Hex {
    fn as_str(&self) -> &str {
        std::str::from_utf8(self.0.as_flattened()).unwrap_or("")
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hex().as_str())
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.hex().as_str())
    }
}

/// Everything that is computed of one request.
///
/// While something is pending (a template or a provider that is not known here) there are no
/// hashes, no key, no derived seed and no canonical text.
#[derive(Debug, Clone, PartialEq)]
pub struct Fingerprint {
    /// What the provider is asked for.
    pub operation: Operation,
    /// The hashes, unless something is pending.
    pub hashes: Option<Hashes>,
    /// Where the result is stored and looked for; none for the strategy always.
    pub cache_key: Option<String>,
    /// The seed, explicit or derived; none if the provider chooses.
    pub seed: Option<String>,
    /// Seconds for which a stored result is good.
    pub ttl_seconds: Option<u32>,
    /// The rating as asked and as it takes effect.
    pub rating: RatingTrail,
    /// The band as asked and as it takes effect.
    pub band: BandTrail,
    /// What is not known yet: `template:<id>`, `provider:<id>`, `provider`.
    pub pending: Vec<String>,
    /// Checked to be UTF-8 only where somebody reads it.
    canonical: JsonText,
}

/// The two hashes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hashes {
    /// Of identity and seed.
    pub request: Hash,
    /// Of the identity alone: all its variants share it.
    pub family: Hash,
}

/// A band as asked and as it takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BandTrail {
    /// What was asked.
    pub asked: Band,
    /// What takes effect.
    pub effective: Band,
}

impl Fingerprint {
    /// The canonical text of the identity, unless something is pending.
    #[must_use]
    pub fn canonical(&self) -> Option<&str> {
        self.canonical.as_str().strip_prefix(FAMILY)
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("contract", &CONTRACT_VERSION)?;
        map.serialize_entry("operation", &self.operation)?;
        if let Some(hashes) = &self.hashes {
            map.serialize_entry("request_hash", &hashes.request)?;
            map.serialize_entry("family_hash", &hashes.family)?;
        }
        if let Some(key) = &self.cache_key {
            map.serialize_entry("cache_key", key)?;
        }
        if let Some(seed) = &self.seed {
            map.serialize_entry("seed", seed)?;
        }
        if let Some(ttl) = &self.ttl_seconds {
            map.serialize_entry("ttl_seconds", ttl)?;
        }
        map.serialize_entry("rating", &self.rating)?;
        if !self.pending.is_empty() {
            map.serialize_entry("pending", &self.pending)?;
        }
        map.end()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Fingerprint {
    fn schema_name() -> Cow<'static, str> {
        "Fingerprint".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "Hashes, seed and key of one request.",
            "properties": {
                "contract": { "const": CONTRACT_VERSION },
                "operation": generator.subschema_for::<Operation>(),
                "request_hash": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "family_hash": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "cache_key": { "type": "string" },
                "seed": { "type": "string" },
                "ttl_seconds": { "type": "integer", "minimum": 0 },
                "rating": generator.subschema_for::<RatingTrail>(),
                "pending": { "type": "array", "items": { "type": "string" } },
            },
            "required": ["contract", "operation", "rating"],
            "additionalProperties": false,
        })
    }
}

impl Strategy {
    /// Seconds for which a stored result is good; none for always.
    #[must_use]
    pub const fn ttl_seconds(self) -> Option<u32> {
        const DAY: u32 = 24 * 60 * 60;
        match self {
            Self::Once => Some(365 * DAY),
            Self::PerPlaythrough => Some(90 * DAY),
            Self::PerPlayer => Some(180 * DAY),
            Self::Always => None,
        }
    }
}

/// The seed that belongs to a scope and a family: 31 bits, whose decimal digits are the seed.
fn derive_seed(scope: &str, family: &str) -> u32 {
    let hash = hash_of_pair(SEED, scope, Some(family));
    let first = hash.0.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    first & 0x7fff_ffff
}

/// The whole number for a provider that needs one: the seed itself if it is one within 31 bits,
/// else derived from it.
///
/// ```
/// assert_eq!(onepath_core::integer_seed("0"), 0);
/// assert_eq!(onepath_core::integer_seed("1709956309"), 1_709_956_309);
/// assert!(onepath_core::integer_seed("abc") < 1 << 31);
/// ```
#[must_use]
pub fn integer_seed(seed: &str) -> u32 {
    match seed.parse::<u32>() {
        Ok(number) if number < 1 << 31 && number.to_string() == seed => number,
        _ => derive_seed(seed, ""),
    }
}

/// The hash of the canonical text of a list of one or two texts.
fn hash_of_pair(domain: &str, first: &str, second: Option<&str>) -> Hash {
    let mut text = JsonText::with_capacity(domain.len() + 2 * first.len() + 160);
    text.raw(domain);
    text.ascii(b'[');
    text.text(first);
    if let Some(second) = second {
        text.ascii(b',');
        text.text(second);
    }
    text.ascii(b']');
    Hash::of(text.as_bytes())
}

/// The scope text of a request's own key; none for always.
fn own_scope(request: &GenerateContentRequest<'_>) -> Result<Option<Cow<'static, str>>, Refusal> {
    let missing =
        |code: Code, pointer: &'static str| Refusal::new(vec![Finding::new(code, pointer)]);
    match request.strategy {
        Strategy::Always => Ok(None),
        Strategy::Once => Ok(Some(Cow::Borrowed("-"))),
        Strategy::PerPlaythrough => match request.playthrough_id() {
            Some(id) => Ok(Some(Cow::Owned(scope_text("pt:", id)))),
            None => Err(missing(Code::ScopePlaythroughMissing, "/player_context/playthroughId")),
        },
        Strategy::PerPlayer => match request.player_id() {
            Some(id) => Ok(Some(Cow::Owned(scope_text("player:", id)))),
            None => Err(missing(Code::ScopePlayerMissing, "/player_context/playerId")),
        },
    }
}

/// What is not known yet about a request.
fn pending(
    request: &GenerateContentRequest<'_>,
    provider: Option<&ProviderInfo<'_>>,
) -> Vec<String> {
    let mut pending = Vec::new();
    if let Some(id) = request.template.as_ref().and_then(|template| template.id.as_ref())
        && request.prompt.is_none()
    {
        pending.push(format!("template:{id}"));
    }
    match &request.provider_id {
        None => pending.push("provider".to_owned()),
        Some(id) if provider.is_none_or(|provider| provider.id != *id) => {
            pending.push(format!("provider:{id}"));
        }
        Some(_) => {}
    }
    pending
}

/// Where the seed of a request comes from while it is fingerprinted.
pub(crate) enum SeedPlan {
    /// The request says: its own seed, or none and the scope's is derived.
    AsGiven,
    /// Build: no explicit seed; derived as the source says.
    Derive(Option<SeedSource>),
}

/// The fingerprint of a request.
///
/// `provider` is what the asked provider declares; without it the provider's own maximum is not
/// known and the fingerprint stays pending. A request without a seed gets the one derived over the
/// scope of its key (none under always).
///
/// # Errors
///
/// The strategy needs a playthrough or a player that the request does not name.
pub fn fingerprint(
    request: &GenerateContentRequest<'_>,
    provider: Option<&ProviderInfo<'_>>,
) -> Result<Fingerprint, Refusal> {
    compute(request, provider, &SeedPlan::AsGiven)
}

/// The fingerprint, with the seed derived as planned.
pub(crate) fn compute(
    request: &GenerateContentRequest<'_>,
    provider: Option<&ProviderInfo<'_>>,
    plan: &SeedPlan,
) -> Result<Fingerprint, Refusal> {
    let provider = provider.or_else(|| {
        request.provider_id.as_ref().and_then(|id| crate::provider::shipped(id.as_str()))
    });
    let view = View::new(request, provider);
    let scope = own_scope(request)?;
    let given = request.seed.as_ref().map(|seed| seed.as_str().to_owned());
    let mut out = Fingerprint {
        operation: request.operation(),
        hashes: None,
        cache_key: None,
        seed: given,
        ttl_seconds: None,
        rating: view.rating,
        band: BandTrail { asked: view.asked_band, effective: view.band },
        pending: pending(request, provider),
        canonical: JsonText::default(),
    };
    if !out.pending.is_empty() {
        return Ok(out);
    }
    out.canonical = view.text(FAMILY);
    let family = Hash::of(out.canonical.as_bytes());
    let family_hex = family.hex();
    let family_text = family_hex.as_str();
    // The seed that the key's own scope gives, made once if anything asks for it.
    let own = scope.as_deref().map(|scope| derive_seed(scope, family_text));
    let shared = if let Some(given) = &out.seed {
        own.is_some_and(|own| own.to_string() == *given)
    } else {
        let derived = match plan {
            SeedPlan::Derive(Some(source)) => derived(*source, request, family_text, own),
            _ => own,
        };
        out.seed = derived.map(|seed| seed.to_string());
        derived.is_none() || derived == own
    };
    let request_hash = hash_of_pair(REQUEST, family_text, out.seed.as_deref());
    if let Some(scope) = &scope {
        let request_hex = request_hash.hex();
        let source = if shared { family_text } else { request_hex.as_str() };
        out.cache_key = Some(write_key(request, scope, source.get(..32).unwrap_or("")));
        out.ttl_seconds = request.strategy.ttl_seconds();
    }
    out.hashes = Some(Hashes { request: request_hash, family });
    Ok(out)
}

/// The seed that a source gives; `own` is that of the key's scope.
fn derived(
    source: SeedSource,
    request: &GenerateContentRequest<'_>,
    family: &str,
    own: Option<u32>,
) -> Option<u32> {
    let (prefix, id) = match (source, request.strategy) {
        (SeedSource::Playthrough, Strategy::PerPlaythrough)
        | (SeedSource::Player, Strategy::PerPlayer) => return own,
        (SeedSource::Playthrough, _) => ("pt:", request.playthrough_id()?),
        (SeedSource::Player, _) => ("player:", request.player_id()?),
        _ => return own,
    };
    Some(derive_seed(&scope_text(prefix, id), family))
}

/// The seed that a request should carry when its identity changes: a derived one follows the
/// identity, an explicit one stays.
pub(crate) fn follow_seed<'s>(
    before: &GenerateContentRequest<'_>,
    after: &GenerateContentRequest<'_>,
    provider: Option<&ProviderInfo<'_>>,
) -> Option<Seed<'s>> {
    let seed = before.seed.as_ref()?;
    let family = |request: &GenerateContentRequest<'_>| {
        Hash::of(View::new(request, provider).text(FAMILY).as_bytes()).to_string()
    };
    match derived_over(before, seed, &family(before)) {
        Some(scope) => Seed::new(derive_seed(&scope, &family(after)).to_string()),
        None => Seed::new(seed.as_str().to_owned()),
    }
}

/// The scope over which a request's seed was derived; none if it was given.
fn derived_over(
    request: &GenerateContentRequest<'_>,
    seed: &Seed<'_>,
    family: &str,
) -> Option<String> {
    let scopes = [
        own_scope(request).ok().flatten().map(Cow::into_owned),
        request.playthrough_id().map(|id| scope_text("pt:", id)),
        request.player_id().map(|id| scope_text("player:", id)),
    ];
    scopes
        .into_iter()
        .flatten()
        .find(|scope| derive_seed(scope, family).to_string() == seed.as_str())
}

impl Fingerprint {
    /// Whether the seed is one that follows the identity, or there is none.
    pub(crate) fn seed_follows(&self, request: &GenerateContentRequest<'_>) -> bool {
        let (Some(seed), Some(hashes)) = (&request.seed, &self.hashes) else {
            return request.seed.is_none();
        };
        derived_over(request, seed, &hashes.family.to_string()).is_some()
    }
}
