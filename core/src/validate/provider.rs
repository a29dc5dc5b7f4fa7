//! Rules against what the provider declares.

use super::Findings;
use crate::canonical::number_text;
use crate::codes::Code;
use crate::facts::Facts;
use crate::finding::{Finding, listed};
use crate::json::locate::escape;
use crate::json::number::Number;
use crate::json::value::Value;
use crate::json::write::to_json;
use crate::operation::Operation;
use crate::provider::{ParameterType, ProviderInfo, ProviderParameter};

/// The provider does not offer the operation.
pub(super) fn unsupported_operation(facts: &Facts<'_>, out: &mut Findings) {
    if let (Some(provider), Some(operation)) = (facts.provider(), facts.operation)
        && let Some(offered) = &provider.operations
        && !offered.contains(&operation)
    {
        let list = listed(offered.iter().copied().map(Operation::word));
        out.push(
            Finding::new(Code::ProviderUnsupportedOperation, "/generationType")
                .arg(provider.id.as_str().to_owned())
                .arg(operation.word())
                .arg(list),
        );
    }
}

/// One member of the asked provider's block and what is declared about it.
struct Setting<'s> {
    provider: &'s ProviderInfo<'s>,
    name: &'s str,
    value: &'s Value<'s>,
    /// Whether the name is declared at all.
    known: bool,
    /// What is declared for the node's operation.
    declared: Option<&'s ProviderParameter<'s>>,
}

impl Setting<'_> {
    fn finding(&self, code: Code) -> Finding {
        let block = escape(self.provider.id.as_str());
        Finding::new(code, format!("/style/{block}/{}", escape(self.name)))
    }
}

/// The members of the block, without the seed, which is no setting.
fn settings<'s>(facts: &'s Facts<'_>) -> Vec<Setting<'s>> {
    let operation = facts.operation;
    let (Some(provider), Some(block)) = (facts.provider(), facts.block()) else {
        return Vec::new();
    };
    let Some(parameters) = &provider.parameters else { return Vec::new() };
    let members = block.iter().filter(|(name, _)| *name != "seed");
    let setting = members.map(|(name, value)| {
        let mut named = parameters.iter().filter(|one| one.name.as_str() == name);
        let known = named.clone().next().is_some();
        let declared = named.find(|one| one.belongs_to(operation));
        Setting { provider, name, value, known, declared }
    });
    setting.collect()
}

/// A setting that the provider does not declare.
pub(super) fn unknown_setting(facts: &Facts<'_>, out: &mut Findings) {
    for setting in settings(facts).iter().filter(|setting| !setting.known) {
        let finding = setting.finding(Code::ProviderUnknownSetting);
        let id = setting.provider.id.as_str().to_owned();
        out.push(finding.arg(id).arg(setting.name.to_owned()));
    }
}

/// A setting that the provider declares for other operations.
pub(super) fn setting_operation(facts: &Facts<'_>, out: &mut Findings) {
    let Some(operation) = facts.operation else { return };
    for setting in settings(facts).iter().filter(|one| one.known && one.declared.is_none()) {
        let finding = setting.finding(Code::ProviderSettingOperation);
        out.push(finding.arg(setting.name.to_owned()).arg(operation.word()));
    }
}

/// A value of another kind than declared.
pub(super) fn setting_type(facts: &Facts<'_>, out: &mut Findings) {
    for setting in settings(facts) {
        let Some(wanted) = setting.declared.and_then(|declared| declared.kind) else { continue };
        if !is_of_kind(setting.value, wanted) {
            let found = match (wanted, setting.value) {
                (ParameterType::Integer, Value::Number(_)) => "a number with a fraction",
                (_, value) => value.kind(),
            };
            let finding = setting.finding(Code::ProviderSettingType);
            out.push(finding.arg(setting.name.to_owned()).arg(kind(wanted)).arg(found));
        }
    }
}

/// A value outside the declared set.
pub(super) fn setting_value(facts: &Facts<'_>, out: &mut Findings) {
    for setting in settings(facts) {
        let Some(parameter) = setting.declared else { continue };
        let Some(values) = &parameter.values else { continue };
        // `""` counts as absent; a value of another kind has its own finding.
        let empty = setting.value.as_text() == Some("");
        let judged = !empty && parameter.kind.is_none_or(|kind| is_of_kind(setting.value, kind));
        if judged && !values.contains(setting.value) {
            let text = |value: &Value<'_>| match value {
                Value::Text(text) => text.clone().into_owned(),
                value => to_json(value).unwrap_or_default(),
            };
            let list: Vec<String> = values.iter().map(text).collect();
            let finding = setting.finding(Code::ProviderSettingValue);
            let finding = finding.arg(setting.name.to_owned()).arg(text(setting.value));
            out.push(finding.arg(listed(list.iter().map(String::as_str))));
        }
    }
}

/// A number beyond the declared range.
pub(super) fn setting_range(facts: &Facts<'_>, out: &mut Findings) {
    for setting in settings(facts) {
        let Some(parameter) = setting.declared else { continue };
        let (min, max) = (parameter.min.map(Number::get), parameter.max.map(Number::get));
        let Some(value) = setting.value.as_number() else { continue };
        if parameter.kind.is_some_and(|kind| !is_of_kind(setting.value, kind)) {
            continue;
        }
        if min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max) {
            let range = match (min.map(number_text), max.map(number_text)) {
                (Some(min), Some(max)) => format!("{min} to {max}"),
                (Some(min), None) => format!("{min} or more"),
                (None, Some(max)) => format!("{max} or less"),
                (None, None) => String::new(),
            };
            let finding = setting.finding(Code::ProviderSettingRange);
            out.push(finding.arg(setting.name.to_owned()).arg(value).arg(range));
        }
    }
}

fn is_of_kind(value: &Value<'_>, kind: ParameterType) -> bool {
    match kind {
        ParameterType::Text => value.as_text().is_some(),
        ParameterType::Integer => value.as_number().is_some_and(|number| number.fract() == 0.0),
        ParameterType::Number => value.as_number().is_some(),
        ParameterType::Boolean => matches!(value, Value::Bool(_)),
    }
}

/// The kind of value, for messages.
fn kind(kind: ParameterType) -> &'static str {
    match kind {
        ParameterType::Text => "text",
        ParameterType::Integer => "a whole number",
        ParameterType::Number => "a number",
        ParameterType::Boolean => "true or false",
    }
}

/// A provider that is not known here.
pub(super) fn unknown(facts: &Facts<'_>, out: &mut Findings) {
    if facts.provider().is_none()
        && let Some(id) = facts.options.provider_id()
    {
        let finding = Finding::new(Code::ProviderUnknown, "/options/providerId");
        out.push(finding.arg(id.as_str().to_owned()));
    }
}
