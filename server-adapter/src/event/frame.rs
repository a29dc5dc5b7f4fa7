//! An event as it goes over the wire: the same in a stream of events and in a web socket.

use onepath_core::GenerationStatus;
use onepath_core::lifecycle::ErrorCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::rfc3339;
use crate::store::{Event, Subject, SyncStatus};

/// Which words a reader wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Words {
    /// `generation.created`, …
    #[default]
    New,
    /// `job:created`, …: those of the system before.
    Old,
}

/// Every event with the word that the system before had for it.
const OLD: [(&str, &str); 13] = [
    ("generation.created", "job:created"),
    ("generation.started", "job:started"),
    ("generation.submitted", "provider:submitted"),
    ("generation.deferred", "job:progress"),
    ("generation.retried", "job:progress"),
    ("generation.completed", "job:completed"),
    ("generation.failed", "job:failed"),
    ("generation.cancelled", "job:cancelled"),
    ("generation.overdue", "job:progress"),
    ("asset.created", "asset:created"),
    ("asset.downloaded", "asset:downloaded"),
    ("asset.download_failed", "asset:download_failed"),
    ("asset.deleted", "asset:deleted"),
];

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Frame {
    /// What happened, such as `generation.completed`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The place among all events: pass it on as `Last-Event-ID` to go on behind it.
    pub cursor: i64,
    /// The generation, or the one that the asset was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<String>,
    /// The asset, if the event is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_id: Option<String>,
    /// The events of a generation, and those of an asset, are numbered from 1, without gaps.
    pub number: i64,
    /// The generation's status after it; absent if the event is about an asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<GenerationStatus>,
    /// Whether the asset's bytes are here after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_status: Option<SyncStatus>,
    /// The provider's own id of the generation's attempt, once it is known; absent if the event is
    /// about an asset.
    #[serde(rename = "predictionId", skip_serializing_if = "Option::is_none")]
    pub prediction_id: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// When (RFC 3339).
    pub at: String,
}

impl Frame {
    /// An event in the words that a reader wants.
    #[must_use]
    pub fn new(event: &Event, words: Words) -> Self {
        let old = || OLD.iter().find(|(new, _)| *new == event.kind).map(|(_, old)| *old);
        let (asset_id, status, sync_status, prediction_id) = match &event.subject {
            Subject::Generation { status, prediction, .. } => {
                (None, Some(*status), None, prediction.clone())
            }
            Subject::Asset { id, sync, .. } => (Some(id.clone()), None, Some(*sync), None),
        };
        Self {
            kind: match words {
                Words::New => event.kind,
                Words::Old => old().unwrap_or(event.kind),
            },
            cursor: event.cursor,
            generation_id: event.generation().map(str::to_owned),
            asset_id,
            number: event.number,
            status,
            sync_status,
            prediction_id,
            error_code: event.error,
            at: rfc3339(event.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ASSET_EVENTS, EVENTS};

    #[test]
    fn every_event_has_an_old_word() {
        let known: Vec<&str> = OLD.iter().map(|(new, _)| *new).collect();
        assert_eq!(known, [&EVENTS[..], &ASSET_EVENTS].concat());
    }
}
