//! Explain: in which fields two requests differ, and what that changes.

use crate::canonical::canonicalize;
use crate::decode::decode;
use crate::identity::{Policy, View, field_policies, member_pointer};
use crate::json::locate::{escape, unescape};
use crate::json::value::{Map, Value};
use crate::json::write::to_json;
use crate::order::{in_order, sort_names, sorted};
use crate::provider::ProviderInfo;
use crate::request::GenerateContentRequest;
use crate::words::Strategy;

/// One field in which two requests differ.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// Pointer of the field in a request.
    pub pointer: String,
    /// Its value on the left, as it takes effect; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Value<'static>>,
    /// Its value on the right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Value<'static>>,
    /// What the field is for.
    pub policy: Policy,
    /// Whether the difference changes hashes or key: identity and variation always do, an id of a
    /// scope does where a strategy is tied to it.
    pub changes_key: bool,
}

/// The fields in which two requests differ, those that matter to the key first.
///
/// Ratings, bands and levels are shown as they take effect; sets without order and repeats. What
/// was asked and takes effect nowhere is listed as policy. `providers` are what the asked providers
/// of the two declare, if they are none of those known here.
///
/// ```
/// use onepath_core::{GenerateContentRequest, Policy, decode, explain};
///
/// let read = |text| decode::<GenerateContentRequest>(text).into_result().unwrap();
/// let left = read(r#"{"type": "dialogue", "purpose": "adaptive", "strategy": "once", "prompt": "a"}"#);
/// let right = read(r#"{"type": "dialogue", "purpose": "adaptive", "strategy": "always", "prompt": "b"}"#);
/// let found: Vec<_> = explain(&left, &right, [None, None]).into_iter().map(|d| (d.pointer, d.policy)).collect();
/// assert_eq!(found, [("/prompt".to_owned(), Policy::Identity), ("/strategy".to_owned(), Policy::Scope)]);
/// ```
#[must_use]
pub fn explain(
    left: &GenerateContentRequest<'_>,
    right: &GenerateContentRequest<'_>,
    providers: [Option<&ProviderInfo<'_>>; 2],
) -> Vec<Difference> {
    let mut out = Vec::new();
    let [left_provider, right_provider] = providers;
    let left_identity = identity(left, left_provider);
    let right_identity = identity(right, right_provider);
    for name in names([left_identity.as_map(), right_identity.as_map()]) {
        // The operation follows from the type and would say the same twice.
        if name != "operation" {
            let pointer = member_pointer(name);
            let (left, right) = (at(&left_identity, name), at(&right_identity, name));
            compare(&pointer, left, right, Policy::Identity, &mut out);
        }
    }
    let strategies = [left.strategy, right.strategy];
    let (left, right) = (whole(left), whole(right));
    for row in field_policies() {
        if row.policy != Policy::Identity && row.pointer != "/style/*" {
            let (left, right) = (below(&left, row.pointer), below(&right, row.pointer));
            compare(row.pointer, left, right, row.policy, &mut out);
        }
    }
    // Blocks of other providers, and what was asked where it takes no effect.
    let fields = ["moodFrom", "moodTo", "pacing", "transitionType"];
    let styles = [&left, &right].map(|json| below(json, "/style").and_then(Value::as_map));
    let others = names(styles).into_iter().filter(|name| !fields.contains(name));
    let others = others.map(|name| format!("/style/{}", escape(name)));
    // They stand before the blocks: in the order of pointers.
    let social = ["contentRating", "intimacyBand"].map(|name| format!("/social_context/{name}"));
    for pointer in social.into_iter().chain(others) {
        if !out.iter().any(|found| found.pointer == pointer) {
            compare(
                &pointer,
                below(&left, &pointer),
                below(&right, &pointer),
                Policy::Policy,
                &mut out,
            );
        }
    }
    for difference in &mut out {
        difference.changes_key = match difference.policy {
            Policy::Identity | Policy::Variation => true,
            Policy::Scope => match difference.pointer.as_str() {
                "/player_context/playthroughId" => strategies.contains(&Strategy::PerPlaythrough),
                "/player_context/playerId" => strategies.contains(&Strategy::PerPlayer),
                _ => true,
            },
            Policy::Policy | Policy::Telemetry => false,
        };
    }
    let order = sorted(out.len(), &mut |one, other| {
        out.get(one).map(|one| one.policy).cmp(&out.get(other).map(|other| other.policy))
    });
    in_order(out, order)
}

fn identity(
    request: &GenerateContentRequest<'_>,
    provider: Option<&ProviderInfo<'_>>,
) -> Value<'static> {
    value(View::new(request, provider).text("").as_str())
}

/// The request as it travels, its members in canonical order: order is no difference.
fn whole(request: &GenerateContentRequest<'_>) -> Value<'static> {
    let text = to_json(request).unwrap_or_default();
    canonicalize(&text).map_or(Value::Null, |text| value(&text))
}

fn value(text: &str) -> Value<'static> {
    decode::<Value<'_>>(text).value.map_or(Value::Null, Value::into_owned)
}

/// The names of both, in order and once each.
fn names<'v>(maps: [Option<&'v Map<'_>>; 2]) -> Vec<&'v str> {
    let mut names: Vec<&str> =
        maps.into_iter().flatten().flat_map(Map::iter).map(|(name, _)| name).collect();
    sort_names(&mut names);
    names.dedup();
    names
}

fn at<'v>(value: &'v Value<'static>, name: &str) -> Option<&'v Value<'static>> {
    value.as_map()?.get(name)
}

/// What stands behind a pointer; none of ours leads into a list.
fn below<'v>(value: &'v Value<'static>, pointer: &str) -> Option<&'v Value<'static>> {
    let mut steps = pointer.split('/').skip(1).map(unescape);
    steps.try_fold(value, |value, step| at(value, &step))
}

/// Objects are compared member by member, everything else whole.
fn compare(
    pointer: &str,
    left: Option<&Value<'static>>,
    right: Option<&Value<'static>>,
    policy: Policy,
    out: &mut Vec<Difference>,
) {
    if left == right {
        return;
    }
    if let (Some(Value::Map(one)), Some(Value::Map(other))) = (left, right) {
        for name in names([Some(one), Some(other)]) {
            let below = format!("{pointer}/{}", escape(name));
            compare(&below, one.get(name), other.get(name), policy, out);
        }
        return;
    }
    out.push(Difference {
        pointer: pointer.to_owned(),
        left: left.cloned(),
        right: right.cloned(),
        policy,
        changes_key: false,
    });
}
