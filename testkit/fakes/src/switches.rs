//! How a fake behaves.

use serde::{Deserialize, Serialize};

/// How a fake behaves; the README tells what each means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "they are switches")]
pub struct Switches {
    /// A prediction ends when it was asked after so many times.
    pub polls: u32,
    /// And not before so many milliseconds.
    pub takes_ms: u64,
    /// How predictions end: a word of the provider's list; empty is well.
    pub end: String,
    /// In which form outputs come.
    pub output: Output,
    /// How webhooks are sent.
    pub webhooks: Webhooks,
    /// A cancelled prediction is made all the same.
    pub late: bool,
    /// A create shows output while its status says that it is at work.
    pub blocking_quirk: bool,
    /// A create that waits gives up with `processing`, as one does whose work takes too long.
    pub outwaits: bool,
    /// Optional fields are `null`.
    pub nulls: bool,
    /// Predictions show the URL of their webhook.
    pub echo_webhook: bool,
    /// Every answer comes so much later; what was asked for is done before.
    pub answers_ms: u64,
    /// Some outputs are left out, and the answer says so.
    pub partial: bool,
    /// A version of before, which lacks what is newer.
    pub old: bool,
    /// The next news over a web socket is lost, with the socket.
    pub cuts_news: bool,
    /// A new prediction is listed so much later.
    pub list_lag_ms: u64,
    /// Only this key is taken; any, if absent.
    pub key: Option<String>,
    /// What the account has left, where the provider tells.
    pub credits: i64,
    /// Faults that are waiting to happen.
    pub faults: Vec<Fault>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            polls: 0,
            takes_ms: 0,
            end: String::new(),
            output: Output::default(),
            webhooks: Webhooks::default(),
            late: false,
            blocking_quirk: false,
            outwaits: false,
            nulls: false,
            echo_webhook: false,
            answers_ms: 0,
            partial: false,
            old: false,
            cuts_news: false,
            list_lag_ms: 0,
            key: None,
            credits: 1_000_000,
            faults: Vec::new(),
        }
    }
}

/// In which form outputs come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// One, as the provider gives one.
    #[default]
    Single,
    /// Two, in a list.
    List,
    /// In an object.
    Object,
    /// As a data URL.
    Data,
    /// None, although it ended well.
    Nothing,
    /// At a place where nothing is any more.
    Gone,
    /// At a place that redirects to another.
    Redirect,
    /// Bytes that are no media.
    Junk,
    /// At a host that is none of the provider's.
    Elsewhere,
}

/// How webhooks are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Webhooks {
    /// Each once.
    #[default]
    Once,
    /// Each twice, with the same id.
    Twice,
    /// The end before the beginning.
    Reordered,
    /// Signed with another secret.
    Forged,
    /// With a signature of an old secret before the good one.
    Rotated,
    /// Never.
    None,
}

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Something is to be made.
    Create,
    /// How something stands.
    Status,
    /// What there is.
    List,
    /// Something is to stop.
    Cancel,
    /// A file is handed over.
    Upload,
    /// A file that was made is fetched.
    File,
    /// Anything else.
    Other,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An answer with a status; nothing is taken.
    Status,
    /// The connection ends; nothing is taken.
    Cut,
    /// No answer ever comes; nothing is taken.
    Hang,
    /// It is taken, then the connection ends.
    CutAfter,
    /// It is taken; half of the answer comes.
    HalfAfter,
    /// It is taken; no answer ever comes.
    HangAfter,
    /// It is taken; a page for people comes.
    PageAfter,
    /// It is taken; the answer has a status.
    StatusAfter,
    /// It is taken; the answer never ends.
    HugeAfter,
    /// It is taken; half of the answer comes, and the rest never.
    StallAfter,
    /// It is taken; the answer says that it has ten billion bytes, and begins.
    ClaimsAfter,
    /// It is taken; the answer is a thousand times as large as it comes (gzip).
    BombAfter,
    /// It is taken; the answer is about something else.
    OtherAfter,
    /// It is taken; the answer says that it has only begun.
    BackAfter,
}

/// A fault that is waiting to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// To which calls.
    pub on: Call,
    /// What goes wrong.
    pub what: What,
    /// How often it still happens.
    #[serde(default = "once")]
    pub times: u32,
    /// The status of an answer that has one, or a number of the provider's own that stands for one.
    #[serde(default = "unavailable")]
    pub status: u32,
    /// Its `Retry-After`.
    #[serde(default)]
    pub retry_after: Option<String>,
}

fn once() -> u32 {
    1
}

fn unavailable() -> u32 {
    503
}

impl Fault {
    /// Once.
    #[must_use]
    pub fn new(on: Call, what: What) -> Self {
        Self { on, what, times: 1, status: 503, retry_after: None }
    }

    /// An answer with a status, once; nothing is taken.
    #[must_use]
    pub fn status(on: Call, status: u32) -> Self {
        Self { status, ..Self::new(on, What::Status) }
    }
}

impl Switches {
    /// With one fault.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self { faults: vec![fault], ..Self::default() }
    }

    /// The fault that happens to a call, if one does; it happens once less from now on.
    pub(crate) fn take(&mut self, call: Call) -> Option<Fault> {
        let fault = self.faults.iter_mut().find(|fault| fault.on == call && fault.times > 0)?;
        fault.times -= 1;
        Some(fault.clone())
    }
}
