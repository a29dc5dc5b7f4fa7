//! Explain: in which fields two requests differ, and what that changes.

use serde_json::{Map as Object, Value as Json};

use crate::identity::{Policy, View, field_policies, member_pointer};
use crate::json::locate::escape;
use crate::provider::ProviderInfo;
use crate::request::GenerateContentRequest;
use crate::words::Strategy;

/// One field in which two requests differ.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Pointer of the field in a request.
    pub pointer: String,
    /// Its value on the left, as it takes effect; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Json>,
    /// Its value on the right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Json>,
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
    let mut names: Vec<&String> = left_identity.keys().chain(right_identity.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        // The operation follows from the type and would say the same twice.
        if name != "operation" {
            let pointer = member_pointer(name);
            let (left, right) = (left_identity.get(name), right_identity.get(name));
            compare(&pointer, left, right, Policy::Identity, &mut out);
        }
    }
    let strategies = [left.strategy, right.strategy];
    let json =
        |request: &GenerateContentRequest<'_>| serde_json::to_value(request).unwrap_or_default();
    let (left, right) = (json(left), json(right));
    for row in field_policies() {
        if row.policy != Policy::Identity && row.pointer != "/style/*" {
            let (left, right) = (left.pointer(row.pointer), right.pointer(row.pointer));
            compare(row.pointer, left, right, row.policy, &mut out);
        }
    }
    // Blocks of other providers, and what was asked where it takes no effect.
    let fields = ["moodFrom", "moodTo", "pacing", "transitionType"];
    let blocks = |json: &Json| -> Vec<String> {
        let style = json.pointer("/style").and_then(Json::as_object);
        style.map(|style| style.keys().cloned().collect()).unwrap_or_default()
    };
    let mut others: Vec<String> = blocks(&left).into_iter().chain(blocks(&right)).collect();
    others.retain(|name| !fields.contains(&name.as_str()));
    let mut pointers: Vec<String> =
        others.into_iter().map(|name| format!("/style/{}", escape(&name))).collect();
    pointers
        .extend(["contentRating", "intimacyBand"].map(|name| format!("/social_context/{name}")));
    pointers.sort();
    pointers.dedup();
    for pointer in pointers {
        if !out.iter().any(|found| found.pointer == pointer) {
            compare(
                &pointer,
                left.pointer(&pointer),
                right.pointer(&pointer),
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
    out.sort_by_key(|difference| difference.policy);
    out
}

fn identity(
    request: &GenerateContentRequest<'_>,
    provider: Option<&ProviderInfo<'_>>,
) -> Object<String, Json> {
    match serde_json::from_slice(View::new(request, provider).text("").as_bytes()) {
        Ok(Json::Object(members)) => members,
        _ => Object::new(),
    }
}

/// Objects are compared member by member, everything else whole.
fn compare(
    pointer: &str,
    left: Option<&Json>,
    right: Option<&Json>,
    policy: Policy,
    out: &mut Vec<Difference>,
) {
    if left == right {
        return;
    }
    if let (Some(Json::Object(left)), Some(Json::Object(right))) = (left, right) {
        let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let below = format!("{pointer}/{}", escape(name));
            compare(&below, left.get(name), right.get(name), policy, out);
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
