//! The cache key: one text a tuple, and back.

use std::fmt;

use crate::id::Id;
use crate::request::GenerateContentRequest;
use crate::words::{GenerationType, Purpose, Strategy};

/// Writes an id into a key: bytes up to space, 0x7F and above, `%` and `|` as `%XX`; an id that is
/// exactly `-` as `%2D`, because `-` alone stands for nothing.
pub(crate) fn push_escaped(out: &mut String, id: &str) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    if id == "-" {
        out.push_str("%2D");
        return;
    }
    let plain = |byte: u8| byte > 0x20 && byte < 0x7f && byte != b'%' && byte != b'|';
    if id.bytes().fold(true, |all, byte| all & plain(byte)) {
        out.push_str(id);
        return;
    }
    for byte in id.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(HEX.get(usize::from(byte >> 4)));
            out.extend(HEX.get(usize::from(byte & 15)));
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Who shares a result, as it stands in a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everyone in the tenant.
    Everyone,
    /// One playthrough.
    Playthrough(String),
    /// One player.
    Player(String),
}

/// A cache key taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CacheKeyParts {
    /// What kind of content.
    pub generation_type: GenerationType,
    /// What it is for.
    pub purpose: Purpose,
    /// The scene it leads from.
    pub from_scene: Option<String>,
    /// The scene it leads to.
    pub to_scene: Option<String>,
    /// Who shares it.
    pub strategy: Strategy,
    /// Who exactly.
    pub scope: Scope,
    /// The config's version.
    pub version: i64,
    /// 32 hexadecimal digits of the family hash, or of the request hash for an explicit seed.
    pub tail: String,
}

impl fmt::Display for CacheKeyParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(160);
        push_head(
            &mut out,
            self.generation_type,
            self.purpose,
            self.from_scene.as_deref(),
            self.to_scene.as_deref(),
            self.strategy,
        );
        match &self.scope {
            Scope::Everyone => out.push('-'),
            Scope::Playthrough(id) => push_scope(&mut out, "pt:", id),
            Scope::Player(id) => push_scope(&mut out, "player:", id),
        }
        write!(f, "{out}|v{}|{}", self.version, self.tail)
    }
}

impl serde::Serialize for CacheKeyParts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.generation_type)?;
        map.serialize_entry("purpose", &self.purpose)?;
        map.serialize_entry("from", &self.from_scene)?;
        map.serialize_entry("to", &self.to_scene)?;
        map.serialize_entry("strategy", &self.strategy)?;
        match &self.scope {
            Scope::Everyone => {}
            Scope::Playthrough(id) => map.serialize_entry("playthrough_id", id)?,
            Scope::Player(id) => map.serialize_entry("player_id", id)?,
        }
        map.serialize_entry("version", &self.version)?;
        map.serialize_entry("tail", &self.tail)?;
        map.end()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for CacheKeyParts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CacheKeyParts".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "A cache key taken apart.",
            "properties": {
                "type": generator.subschema_for::<GenerationType>(),
                "purpose": generator.subschema_for::<Purpose>(),
                "from": { "type": ["string", "null"], "description": "The scene it leads from." },
                "to": { "type": ["string", "null"], "description": "The scene it leads to." },
                "strategy": generator.subschema_for::<Strategy>(),
                "playthrough_id": { "type": "string", "description": "The playthrough that has it for itself." },
                "player_id": { "type": "string", "description": "The player who has it for themselves." },
                "version": { "type": "integer", "description": "The config's version." },
                "tail": { "type": "string", "description": "32 hexadecimal digits of what would be generated." },
            },
            "required": ["type", "purpose", "from", "to", "strategy", "version", "tail"],
            "additionalProperties": false,
        })
    }
}

/// A text that is no cache key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a cache key: {reason}")]
pub struct NotACacheKey {
    text: String,
    reason: &'static str,
}

/// Takes a cache key apart. Every spelling but the one that the path writes is refused, so that
/// one text stands for one tuple.
///
/// ```
/// use onepath_core::parse_cache_key;
///
/// let key = "generation:dialogue|adaptive|s1|s%7C2|once|-|v1|1d23ac99a46a52514339911177021f55";
/// let parts = parse_cache_key(key).unwrap();
/// assert_eq!(parts.to_scene.as_deref(), Some("s|2"));
/// assert_eq!(parts.to_string(), key);
/// assert!(parse_cache_key(&key.replace("%7C", "%7c")).is_err());
/// ```
///
/// # Errors
///
/// Which part is not as the path writes it.
pub fn parse_cache_key(text: &str) -> Result<CacheKeyParts, NotACacheKey> {
    let refuse = |reason: &'static str| NotACacheKey { text: text.to_owned(), reason };
    let rest =
        text.strip_prefix("generation:").ok_or_else(|| refuse("it starts with `generation:`"))?;
    let parts: Vec<&str> = rest.split('|').collect();
    let &[generation_type, purpose, from, to, strategy, scope, version, tail] = parts.as_slice()
    else {
        return Err(refuse("it has eight parts between `|`"));
    };
    let scene = |part: &str| -> Result<Option<String>, NotACacheKey> {
        if part == "-" {
            return Ok(None);
        }
        let id = unescape(part).ok_or_else(|| refuse("an id is not escaped as keys are"))?;
        if id.is_empty() { Err(refuse("an id is empty")) } else { Ok(Some(id)) }
    };
    let strategy = Strategy::parse(strategy).ok_or_else(|| refuse("the strategy is unknown"))?;
    let scope_id = |prefix: &str| -> Result<String, NotACacheKey> {
        let id =
            scope.strip_prefix(prefix).ok_or_else(|| refuse("the scope is not the strategy's"))?;
        scene(id)?.ok_or_else(|| refuse("the scope names nobody"))
    };
    let parts = CacheKeyParts {
        generation_type: GenerationType::parse(generation_type)
            .ok_or_else(|| refuse("the type is unknown"))?,
        purpose: Purpose::parse(purpose).ok_or_else(|| refuse("the purpose is unknown"))?,
        from_scene: scene(from)?,
        to_scene: scene(to)?,
        strategy,
        scope: match strategy {
            Strategy::Once if scope == "-" => Scope::Everyone,
            Strategy::Once => return Err(refuse("the scope of once is `-`")),
            Strategy::PerPlaythrough => Scope::Playthrough(scope_id("pt:")?),
            Strategy::PerPlayer => Scope::Player(scope_id("player:")?),
            Strategy::Always => return Err(refuse("the strategy always has no key")),
        },
        version: version
            .strip_prefix('v')
            .and_then(|version| version.parse().ok())
            .filter(|version| (1..=9_007_199_254_740_991).contains(version))
            .ok_or_else(|| refuse("the version is `v` and a whole number from 1"))?,
        tail: tail.to_owned(),
    };
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if tail.len() != 32 || !tail.bytes().all(hex) {
        return Err(refuse("the last part is 32 lower-case hexadecimal digits"));
    }
    if parts.to_string() != text {
        return Err(refuse("an id is not escaped as keys are"));
    }
    Ok(parts)
}

fn push_head(
    out: &mut String,
    generation_type: GenerationType,
    purpose: Purpose,
    from: Option<&str>,
    to: Option<&str>,
    strategy: Strategy,
) {
    out.push_str("generation:");
    out.push_str(generation_type.word());
    out.push('|');
    out.push_str(purpose.word());
    for scene in [from, to] {
        out.push('|');
        match scene {
            Some(id) => push_escaped(out, id),
            None => out.push('-'),
        }
    }
    out.push('|');
    out.push_str(strategy.word());
    out.push('|');
}

pub(crate) fn push_scope(out: &mut String, prefix: &str, id: &str) {
    out.push_str(prefix);
    push_escaped(out, id);
}

/// The key of a request that is in reach of `scope`, with this tail.
pub(crate) fn write_key(request: &GenerateContentRequest<'_>, scope: &str, tail: &str) -> String {
    let mut out = String::with_capacity(160);
    let from = request.from_scene.as_ref().map(|scene| scene.id.as_str());
    let to = request.to_scene.as_ref().map(|scene| scene.id.as_str());
    push_head(&mut out, request.generation_type, request.purpose, from, to, request.strategy);
    out.push_str(scope);
    out.push_str("|v");
    out.push_str(&request.version().get().to_string());
    out.push('|');
    out.push_str(tail);
    out
}

/// The id in the scope text of a request's key; for tests and messages.
pub(crate) fn scope_text(prefix: &str, id: &Id<'_>) -> String {
    let mut out = String::with_capacity(prefix.len() + id.as_str().len());
    push_scope(&mut out, prefix, id.as_str());
    out
}
