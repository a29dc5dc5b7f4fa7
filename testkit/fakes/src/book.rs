//! What a fake knows: what it took, what became of it, and what it charged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::switches::{Call, Switches};

/// One charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// What was charged for.
    pub prediction: String,
    /// The SHA-256 of what was asked for, in hexadecimal.
    pub asked: String,
    /// Where it was to be reported to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

/// One thing that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Prediction {
    pub(crate) id: String,
    pub(crate) body: Value,
    pub(crate) webhook: Option<String>,
    pub(crate) created_at: Timestamp,
    taken: Instant,
    /// How it behaves: the switches at the time.
    pub(crate) switches: Switches,
    pub(crate) asked_after: u32,
    pub(crate) cancelled: bool,
    /// When it ended, once somebody saw that it had.
    pub(crate) ended_at: Option<Timestamp>,
}

impl Prediction {
    /// Whether it has ended: asked after often enough, and old enough.
    pub(crate) fn is_over(&self) -> bool {
        let stopped = self.cancelled && !self.switches.late;
        let old = self.taken.elapsed() >= Duration::from_millis(self.switches.takes_ms);
        stopped || (self.asked_after > self.switches.polls && old)
    }

    /// How it ends.
    pub(crate) fn end(&self) -> &str {
        if self.cancelled && !self.switches.late { "cancelled" } else { &self.switches.end }
    }

    /// Whether a list shows it.
    pub(crate) fn is_listed(&self) -> bool {
        self.taken.elapsed() >= Duration::from_millis(self.switches.list_lag_ms)
    }
}

/// Everything a fake knows.
#[derive(Debug)]
pub(crate) struct Book {
    predictions: BTreeMap<String, Prediction>,
    order: Vec<String>,
    charges: Vec<Charge>,
    log: Option<File>,
    calls: BTreeMap<Call, usize>,
    creates: Vec<Timestamp>,
    files: BTreeMap<String, Vec<u8>>,
    marks: BTreeSet<String>,
    webhooks: Vec<u16>,
}

impl Book {
    pub(crate) fn open(log: Option<&Path>) -> io::Result<Self> {
        let mut charges = Vec::new();
        let mut file = None;
        if let Some(path) = log {
            if path.exists() {
                for line in std::fs::read_to_string(path)?.lines() {
                    charges.push(serde_json::from_str(line).map_err(io::Error::other)?);
                }
            }
            file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        }
        Ok(Self {
            predictions: BTreeMap::new(),
            order: Vec::new(),
            charges,
            log: file,
            calls: BTreeMap::new(),
            creates: Vec::new(),
            files: BTreeMap::new(),
            marks: BTreeSet::new(),
            webhooks: Vec::new(),
        })
    }

    /// Takes something, and charges for it durably before anybody hears of it.
    pub(crate) fn take(
        &mut self,
        id: String,
        body: Value,
        webhook: Option<String>,
        switches: Switches,
    ) -> io::Result<Prediction> {
        let asked = hex(&Sha256::digest(body.to_string()));
        let charge = Charge { prediction: id.clone(), asked, webhook: webhook.clone() };
        if let Some(log) = &mut self.log {
            let line = serde_json::to_string(&charge).map_err(io::Error::other)?;
            log.write_all(format!("{line}\n").as_bytes())?;
            log.sync_all()?;
        }
        self.charges.push(charge);
        let prediction = Prediction {
            id: id.clone(),
            body,
            webhook,
            created_at: Timestamp::now(),
            taken: Instant::now(),
            switches,
            asked_after: 0,
            cancelled: false,
            ended_at: None,
        };
        self.order.push(id.clone());
        self.predictions.insert(id, prediction.clone());
        Ok(prediction)
    }

    pub(crate) fn get(&mut self, id: &str) -> Option<&mut Prediction> {
        self.predictions.get_mut(id)
    }

    /// Somebody asks how something stands.
    pub(crate) fn ask(&mut self, id: &str) -> Option<Prediction> {
        let prediction = self.predictions.get_mut(id)?;
        prediction.asked_after += 1;
        note_end(prediction);
        Some(prediction.clone())
    }

    /// Somebody wants something to stop; what is over stays as it is.
    pub(crate) fn cancel(&mut self, id: &str) -> Option<Prediction> {
        let prediction = self.predictions.get_mut(id)?;
        if prediction.ended_at.is_none() {
            prediction.cancelled = true;
            note_end(prediction);
        }
        Some(prediction.clone())
    }

    /// Everything, the newest first.
    pub(crate) fn list(&self) -> Vec<Prediction> {
        let ids = self.order.iter().rev();
        ids.filter_map(|id| self.predictions.get(id)).cloned().collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.order.clone()
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        let ids = self.order.iter();
        ids.filter_map(|id| self.predictions.get(id)).map(|one| one.body.clone()).collect()
    }

    pub(crate) fn taken_with(&self, text: &str) -> Option<(String, Option<String>)> {
        let newest = self.order.iter().rev().zip(self.charges.iter().rev());
        newest.filter_map(|(id, charge)| Some((self.predictions.get(id)?, charge))).find_map(
            |(one, charge)| {
                let found = one.body.to_string().contains(text);
                found.then(|| (one.id.clone(), charge.webhook.clone()))
            },
        )
    }

    pub(crate) fn is_cancelled(&self, id: &str) -> bool {
        self.predictions.get(id).is_some_and(|one| one.cancelled)
    }

    pub(crate) fn charges(&self) -> &[Charge] {
        &self.charges
    }

    pub(crate) fn count(&mut self, call: Call) {
        *self.calls.entry(call).or_default() += 1;
        if call == Call::Create {
            self.creates.push(Timestamp::now());
        }
    }

    /// When something was to be made, whatever became of it; milliseconds since 1970.
    pub(crate) fn creates(&self) -> Vec<i64> {
        self.creates.iter().map(|at| at.as_millisecond()).collect()
    }

    pub(crate) fn calls(&self, call: Call) -> usize {
        self.calls.get(&call).copied().unwrap_or_default()
    }

    /// A webhook was answered with a status.
    pub(crate) fn note_webhook(&mut self, status: u16) {
        self.webhooks.push(status);
    }

    pub(crate) fn webhooks(&self) -> &[u16] {
        &self.webhooks
    }

    /// Whether a mark was never seen before.
    pub(crate) fn is_first(&mut self, mark: &str) -> bool {
        self.marks.insert(mark.to_owned())
    }

    /// Whether a file was handed over.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.files.contains_key(id)
    }

    /// How many files were handed over.
    pub(crate) fn files(&self) -> usize {
        self.files.len()
    }

    /// Keeps a file that was handed over.
    pub(crate) fn keep(&mut self, id: String, bytes: Vec<u8>) {
        self.files.insert(id, bytes);
    }
}

fn note_end(prediction: &mut Prediction) {
    if prediction.ended_at.is_none() && prediction.is_over() {
        prediction.ended_at = Some(Timestamp::now());
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id that was never there before: of a number, the time and the process.
pub(crate) fn fresh(number: usize) -> String {
    let now = Timestamp::now().as_nanosecond();
    let text = format!("{number} {now} {}", std::process::id());
    let mut id = hex(&Sha256::digest(text));
    id.truncate(26);
    id
}
