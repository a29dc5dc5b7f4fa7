//! Rules against what the provider declares.

use super::Findings;
use crate::codes::Code;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::json::locate::escape;
use crate::operation::Operation;

/// The provider does not offer the operation.
pub(super) fn unsupported_operation(facts: &Facts<'_>, out: &mut Findings) {
    if let (Some(provider), Some(operation)) = (facts.provider(), facts.operation)
        && let Some(offered) = &provider.operations
        && !offered.contains(&operation)
    {
        let list: Vec<&str> = offered.iter().copied().map(Operation::word).collect();
        out.push(
            Finding::new(Code::ProviderUnsupportedOperation, "/generationType")
                .arg(provider.id.as_str().to_owned())
                .arg(operation.word())
                .arg(list.join(", ")),
        );
    }
}

/// A setting that the provider does not declare.
pub(super) fn unknown_setting(facts: &Facts<'_>, out: &mut Findings) {
    let (Some(provider), Some(block)) = (facts.provider(), facts.block()) else { return };
    let Some(parameters) = &provider.parameters else { return };
    for (name, _) in block.iter() {
        let declared = parameters.iter().any(|parameter| parameter.name.as_str() == name);
        if name != "seed" && !declared {
            let pointer = format!("/style/{}/{}", escape(provider.id.as_str()), escape(name));
            out.push(
                Finding::new(Code::ProviderUnknownSetting, pointer)
                    .arg(provider.id.as_str().to_owned())
                    .arg(name.to_owned()),
            );
        }
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
