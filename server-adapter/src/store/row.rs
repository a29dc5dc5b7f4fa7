//! What the store keeps: rows as values, whatever the database.

use onepath_core::lifecycle::{
    Attempt as Stage, ErrorCode, GenerationStatus, RunPolicy, State, UnknownPolicy,
};
use onepath_core::{
    FallbackMode, GenerateContentRequest, GenerationType, Operation, Rating, RatingTrail, Strategy,
};

use super::account::Deferral;
use super::assets::{Asset, SyncStatus};

/// Milliseconds since 1970.
pub type Millis = i64;

/// Who asks: a user of a tenant. Every read is made for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    /// The wall.
    pub tenant: String,
    /// The user, or the one on whose behalf a backend acts.
    pub user: String,
}

/// Who looks at what others made, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Viewer {
    /// For whom.
    pub reader: Reader,
    /// The highest rating that they may be shown of what is not their own.
    pub bound: Rating,
}

impl Viewer {
    /// Whether they may read what belongs to `owner`; `shared` is the rating of what the whole
    /// tenant shares.
    #[must_use]
    pub fn may_read(&self, tenant: &str, owner: &str, shared: Option<Rating>) -> bool {
        self.reader.tenant == tenant
            && (self.reader.user == owner || shared.is_some_and(|rating| rating <= self.bound))
    }
}

/// One generation as it lies in the store.
///
/// What was asked (`request`, hashes, tenant, provider) never changes after the insert; the rest
/// is what the lifecycle makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// UUID, version 7.
    pub id: String,
    /// A whole number of its own within the tenant.
    pub number: i64,
    /// The wall it lies behind.
    pub tenant: String,
    /// The user who pays for it.
    pub owner: String,
    /// What was asked, and never changes.
    pub asked: Asked,
    /// Where the run stands.
    pub state: State,
    /// The slot it holds: its cache key, while it answers other creates.
    pub reuse_key: Option<String>,
    /// When it stops being an answer.
    pub expires_at: Option<Millis>,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// For people: a JSON list of texts.
    pub tags: Option<String>,
    /// 0 to 10; 0 goes first.
    pub priority: i64,
    /// Not before this time.
    pub scheduled_at: Option<Millis>,
    /// How the run is carried out.
    pub policy: RunPolicy,
    /// Grows with every claim; a write with an older one changes nothing.
    pub fence: i64,
    /// Until when a worker holds it.
    pub lease_until: Option<Millis>,
    /// When it is due again.
    pub next_run_at: Millis,
    /// Whether its provider told something while a worker held it: it is due as soon as that worker
    /// lets go.
    pub hinted: bool,
    /// The running attempt's token.
    pub token: Option<String>,
    /// When that attempt was last about to be sent: from then on the provider may have it.
    pub submitted_at: Option<Millis>,
    /// The provider's own id of the attempt.
    pub prediction: Option<String>,
    /// The provider that makes it, if not the asked one: one of [`Asked::others`].
    pub serving: Option<String>,
    /// The account whose slot it holds, while an attempt is on its way; none where the provider has
    /// no accounts.
    pub account: Option<String>,
    /// Why it waits until `next_run_at`, if something outside stands in its way.
    pub deferred: Option<Deferral>,
    /// When the run counts as stuck.
    pub deadline_at: Option<Millis>,
    /// When the run takes longer than its operation may.
    pub overdue_at: Option<Millis>,
    /// Whether readers were told that it does.
    pub overdue: bool,
    /// Attempts over all runs.
    pub attempts: i64,
    /// Events so far; the next one has this number plus one.
    pub events: i64,
    /// Creation.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
    /// First submission of the run.
    pub started_at: Option<Millis>,
    /// End of the run.
    pub completed_at: Option<Millis>,
    /// When its owner deleted it.
    pub deleted_at: Option<Millis>,
}

/// The part of a row that never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The request as it is carried out, as JSON text.
    pub request: String,
    /// What kind of content.
    pub generation_type: GenerationType,
    /// What the provider is asked to do.
    pub operation: Operation,
    /// Who is asked.
    pub provider: String,
    /// Who shares the result.
    pub strategy: Strategy,
    /// Hash of identity and seed, in hexadecimal.
    pub request_hash: String,
    /// Hash of the identity, in hexadecimal.
    pub family_hash: String,
    /// The cache key; none for `always`.
    pub cache_key: Option<String>,
    /// The seed; none if the provider chooses.
    pub seed: Option<String>,
    /// The rating as asked and as it takes effect.
    pub rating: RatingTrail,
    /// Seconds for which the result is an answer; none for `always`.
    pub ttl_seconds: Option<u32>,
    /// Whether it was made anew on purpose and takes the slot when it completes.
    pub force_new: bool,
    /// What a run is expected to cost, in micro-dollars; none if no price is known.
    pub price_micros: Option<i64>,
    /// What a run is expected to take of an account, in the provider's credits; none if that is not
    /// known.
    pub price_credits: Option<i64>,
    /// What a run reserves: its price or, where none is known, what the operator set.
    pub reserved_micros: i64,
    /// The world it belongs to.
    pub world: Option<String>,
    /// The folder inside of the tenant in which it lies.
    pub workspace: Option<String>,
    /// Who is asked when the provider is down, in order.
    pub others: Vec<Other>,
    /// The trace of the call that asked, by which it is found in logs.
    pub trace: String,
    /// Whether anybody may fetch what is made, without a key.
    pub public: bool,
}

/// What another provider is asked for when those before it are down.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Other {
    /// Who is asked.
    pub provider: String,
    /// The request as it is carried out there, as JSON text.
    pub request: String,
    /// Hash of its identity and seed, in hexadecimal.
    pub request_hash: String,
    /// What a run is expected to take of an account, in the provider's credits.
    pub price_credits: Option<i64>,
    /// What a run reserves.
    pub reserved_micros: i64,
}

impl Row {
    /// The word on the wire.
    #[must_use]
    pub fn status(&self) -> GenerationStatus {
        self.state.status()
    }

    /// What is asked of another provider in the place of what was asked for.
    #[must_use]
    pub fn served(&self) -> Option<&Other> {
        let serving = self.serving.as_ref()?;
        self.asked.others.iter().find(|other| other.provider == *serving)
    }

    /// The provider that makes it.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.serving.as_deref().unwrap_or(&self.asked.provider)
    }

    /// The request that is carried out.
    #[must_use]
    pub fn request(&self) -> &str {
        self.served().map_or(&self.asked.request, |other| &other.request)
    }

    /// The hash of the request that is carried out.
    #[must_use]
    pub fn request_hash(&self) -> &str {
        self.served().map_or(&self.asked.request_hash, |other| &other.request_hash)
    }

    /// What the run takes of an account, in credits of the provider that makes it.
    #[must_use]
    pub fn price_credits(&self) -> Option<i64> {
        self.served().map_or(self.asked.price_credits, |other| other.price_credits)
    }

    /// What the run reserves.
    #[must_use]
    pub fn reserved_micros(&self) -> i64 {
        self.served().map_or(self.asked.reserved_micros, |other| other.reserved_micros)
    }

    /// Those that are still to be asked when the one that makes it is down.
    #[must_use]
    pub fn others_left(&self) -> &[Other] {
        let others = &self.asked.others;
        let Some(serving) = &self.serving else { return others };
        let at = others.iter().position(|other| other.provider == *serving);
        at.and_then(|at| others.get(at + 1..)).unwrap_or_default()
    }

    /// Why the run ended without what was asked for, or what the last attempt ran into.
    #[must_use]
    pub fn error_code(&self) -> Option<ErrorCode> {
        match self.state {
            State::Pending { after, .. } => after,
            State::Processing { .. } | State::Completed { fallback: None, .. } => None,
            State::Completed { fallback: Some((_, error)), .. } | State::Failed { error, .. } => {
                Some(error)
            }
            State::Cancelled { .. } => Some(ErrorCode::Cancelled),
        }
    }

    /// Whether it is there, and not what stands in for it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Completed { fallback: None, .. })
    }

    /// Whether its end is wished for and not there yet.
    #[must_use]
    pub fn is_unwanted(&self) -> bool {
        matches!(self.state, State::Processing { cancel_requested: true, .. })
    }

    /// When a run that may begin at a time takes longer than its operation may.
    #[must_use]
    pub fn overdue_from(&self, begins_at: Millis) -> Millis {
        begins_at.saturating_add(self.asked.operation.timeouts().overall_ms)
    }

    /// Whether the run takes, or took, longer than its operation may.
    #[must_use]
    pub fn is_overdue(&self, now: Millis) -> bool {
        self.overdue_at.is_some_and(|at| at < self.completed_at.unwrap_or(now))
    }

    /// Whether it can answer a create at this time: what another provider made is no answer to what
    /// was asked.
    #[must_use]
    pub fn answers_at(&self, now: Millis) -> bool {
        self.is_complete() && self.serving.is_none() && self.expires_at.is_none_or(|at| at > now)
    }

    /// Whether a user may read it: its owner, and for `once` everybody in the tenant whose bound
    /// allows its rating.
    #[must_use]
    pub fn readable_by(&self, viewer: &Viewer) -> bool {
        self.deleted_at.is_none() && viewer.may_read(&self.tenant, &self.owner, self.shared())
    }

    /// A tag that changes with every change.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("{:x}.{:x}.{:x}", self.updated_at, self.events, self.fence)
    }

    /// The rating that a bound must allow, if the whole tenant may read it; none if its owner only.
    #[must_use]
    pub fn shared(&self) -> Option<Rating> {
        (self.asked.strategy == Strategy::Once).then_some(self.asked.rating.effective)
    }
}

/// One submission to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1, over all runs.
    pub number: i64,
    /// The run it belongs to.
    pub run: u32,
    /// The provider that was asked.
    pub provider: String,
    /// The account that it was asked with.
    pub account: Option<String>,
    /// The provider's own id of it.
    pub prediction: Option<String>,
    /// When it was last about to be sent.
    pub submitted_at: Millis,
    /// When its end was known.
    pub ended_at: Option<Millis>,
    /// Why it failed.
    pub error: Option<ErrorCode>,
}

/// A row with everything that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// The row.
    pub row: Row,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
    /// Its assets, in order.
    pub assets: Vec<Asset>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place among all events, in the order of commits; 0 while it has none.
    pub cursor: i64,
    /// The wall behind which it is told.
    pub tenant: String,
    /// The owner of what it is about, at the time.
    pub owner: String,
    /// The rating that a bound must allow, if the whole tenant may be told; none if its owner only.
    pub shared: Option<Rating>,
    /// What it is about.
    pub subject: Subject,
    /// From 1, within its subject, without gaps.
    pub number: i64,
    /// Such as `generation.completed`.
    pub kind: &'static str,
    /// What went wrong.
    pub error: Option<ErrorCode>,
    /// When.
    pub at: Millis,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A generation.
    Generation {
        /// Its id.
        id: String,
        /// Its status after the event.
        status: GenerationStatus,
        /// The provider's own id of the attempt, as far as it was known.
        prediction: Option<String>,
    },
    /// An asset.
    Asset {
        /// Its id.
        id: String,
        /// The generation it was made for; none for an upload.
        generation: Option<String>,
        /// Whether its bytes are here after the event.
        sync: SyncStatus,
    },
}

impl Event {
    /// The generation that it is about, or that its asset was made for.
    #[must_use]
    pub fn generation(&self) -> Option<&str> {
        match &self.subject {
            Subject::Generation { id, .. } => Some(id),
            Subject::Asset { generation, .. } => generation.as_deref(),
        }
    }

    /// Whether it is about this generation itself.
    #[must_use]
    pub fn is_of(&self, generation: &str) -> bool {
        matches!(&self.subject, Subject::Generation { id, .. } if id == generation)
    }

    /// Whether a reader may be told.
    #[must_use]
    pub fn readable_by(&self, viewer: &Viewer) -> bool {
        viewer.may_read(&self.tenant, &self.owner, self.shared)
    }
}

/// An entry of the ledger: only ever added, balances are sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Who pays.
    pub user: String,
    /// The run it is about.
    pub run: u32,
    /// What it is.
    pub kind: LedgerKind,
    /// Runs that count from now on, or no more.
    pub runs: i64,
    /// Micro-dollars that count from now on, or no more.
    pub micros: i64,
}

/// What an entry of the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerKind {
    /// A run's estimated price is set aside.
    Reserve,
    /// It is paid.
    Settle,
    /// It is given back.
    Release,
    /// Another user pays for the run from now on.
    Move,
    /// Another provider makes it from now on, at another price.
    Adjust,
}

impl LedgerKind {
    /// The word it is kept as.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Settle => "settle",
            Self::Release => "release",
            Self::Move => "move",
            Self::Adjust => "adjust",
        }
    }
}

/// What a user used of their plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Generations that they want and that are not over.
    pub in_flight: i64,
    /// Runs in the window.
    pub runs: i64,
    /// Micro-dollars in the window, reserved and paid.
    pub micros: i64,
    /// Bytes of assets that they have.
    pub storage: i64,
}

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A user: for themselves only.
    User,
    /// A backend: on behalf of its players.
    Backend,
    /// Whoever runs the server: looks after keys, users and worlds.
    Admin,
}

impl Role {
    /// The word it is kept as.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Backend => "backend",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::User, Self::Backend, Self::Admin].into_iter().find(|role| role.word() == word)
    }
}

/// An API key. The key itself is never kept, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// SHA-256 of the key's text, in hexadecimal.
    pub hash: String,
    /// By which it is named, without its secret.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// For whom it speaks.
    pub reader: Reader,
    /// What it allows.
    pub role: Role,
    /// Creation.
    pub created_at: Millis,
    /// When it stopped working.
    pub revoked_at: Option<Millis>,
}

/// A user of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub reader: Reader,
    /// The highest rating they want; romantic if none.
    pub max_rating: Option<Rating>,
    /// Whether band and rating go down by one.
    pub reduce_intensity: bool,
    /// The price they pay: names their plan.
    pub price_id: Option<String>,
    /// Creation.
    pub created_at: Millis,
}

/// A world of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The wall it lies behind.
    pub tenant: String,
    /// Its id, as the game names it.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// What it declares (`WorldMeta`), as JSON text.
    pub meta: String,
    /// Creation.
    pub created_at: Millis,
}

/// A state as columns have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateColumns {
    /// The word on the wire.
    pub status: &'static str,
    /// Number of the run.
    pub run: u32,
    /// Attempts spent.
    pub spent: u32,
    /// How far the attempt is.
    pub stage: Option<&'static str>,
    /// What went wrong.
    pub error: Option<&'static str>,
    /// What stands in.
    pub fallback: Option<&'static str>,
    /// Whether a lost submission was sent again.
    pub resubmitted: bool,
    /// Whether its end is wished for.
    pub cancel_requested: bool,
}

const STAGES: [(&str, Stage); 5] = [
    ("claimed", Stage::Claimed),
    ("submitting", Stage::Submitting),
    ("submit_unknown", Stage::SubmitUnknown),
    ("submitted", Stage::Submitted),
    ("settling", Stage::Settling),
];

/// The word of a stage.
#[must_use]
pub fn stage_word(stage: Stage) -> &'static str {
    STAGES.iter().find(|(_, known)| *known == stage).map_or("", |(word, _)| word)
}

impl From<State> for StateColumns {
    fn from(state: State) -> Self {
        let mut columns = Self {
            status: state.status().word(),
            run: state.run(),
            spent: 0,
            stage: None,
            error: None,
            fallback: None,
            resubmitted: false,
            cancel_requested: false,
        };
        match state {
            State::Pending { spent, after, .. } => {
                columns.spent = spent;
                columns.error = after.map(ErrorCode::word);
            }
            State::Processing { spent, attempt, resubmitted, cancel_requested, .. } => {
                columns.spent = spent;
                columns.stage = Some(stage_word(attempt));
                columns.resubmitted = resubmitted;
                columns.cancel_requested = cancel_requested;
            }
            State::Completed { fallback, .. } => {
                columns.fallback = fallback.map(|(mode, _)| mode.word());
                columns.error = fallback.map(|(_, error)| error.word());
            }
            State::Failed { error, .. } => columns.error = Some(error.word()),
            State::Cancelled { .. } => {}
        }
        columns
    }
}

/// The columns of a state, as they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateText {
    /// As in [`StateColumns`].
    pub status: String,
    /// As in [`StateColumns`].
    pub run: u32,
    /// As in [`StateColumns`].
    pub spent: u32,
    /// As in [`StateColumns`].
    pub stage: Option<String>,
    /// As in [`StateColumns`].
    pub error: Option<String>,
    /// As in [`StateColumns`].
    pub fallback: Option<String>,
    /// As in [`StateColumns`].
    pub resubmitted: bool,
    /// As in [`StateColumns`].
    pub cancel_requested: bool,
}

impl StateText {
    /// The state; none if the columns contradict each other.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        let error = match self.error.as_deref() {
            Some(word) => Some(ErrorCode::parse(word)?),
            None => None,
        };
        let run = self.run;
        Some(match GenerationStatus::parse(&self.status)? {
            GenerationStatus::Pending => State::Pending { run, spent: self.spent, after: error },
            GenerationStatus::Processing => State::Processing {
                run,
                spent: self.spent,
                attempt: STAGES
                    .iter()
                    .find(|(word, _)| Some(*word) == self.stage.as_deref())
                    .map(|(_, stage)| *stage)?,
                resubmitted: self.resubmitted,
                cancel_requested: self.cancel_requested,
            },
            GenerationStatus::Completed => State::Completed {
                run,
                fallback: match self.fallback.as_deref() {
                    Some(mode) => Some((FallbackMode::parse(mode)?, error?)),
                    None => None,
                },
            },
            GenerationStatus::Failed => State::Failed { run, error: error? },
            GenerationStatus::Cancelled => State::Cancelled { run },
        })
    }
}

/// The word of a policy for lost submissions.
#[must_use]
pub fn unknown_word(policy: UnknownPolicy) -> &'static str {
    match policy {
        UnknownPolicy::Wait => "wait",
        UnknownPolicy::FailWithoutCharge => "fail_without_charge",
        UnknownPolicy::ResubmitOnce => "resubmit_once",
    }
}

/// The policy of a word; waiting if there is none such.
#[must_use]
pub fn unknown_policy(word: &str) -> UnknownPolicy {
    match word {
        "fail_without_charge" => UnknownPolicy::FailWithoutCharge,
        "resubmit_once" => UnknownPolicy::ResubmitOnce,
        _ => UnknownPolicy::Wait,
    }
}

/// What a request names that runs are counted by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The provider's model.
    pub model: Option<String>,
    /// The version of the template that its prompt came from.
    pub prompt_version: Option<String>,
}

impl Row {
    /// What the request that is carried out names.
    #[must_use]
    pub fn named(&self) -> Named {
        let request = onepath_core::decode::<GenerateContentRequest<'_>>(self.request()).value;
        let Some(request) = request else { return Named::default() };
        let settings = request.provider_settings.as_ref();
        let model = settings.and_then(|settings| settings.get("model")?.as_text());
        let version = request.template.and_then(|template| template.version_id);
        Named {
            model: model.filter(|model| !model.is_empty()).map(str::to_owned),
            prompt_version: version.map(|id| id.as_str().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_columns() {
        let mut states = vec![
            State::NEW,
            State::Pending { run: 2, spent: 1, after: Some(ErrorCode::ProviderTimeout) },
            State::Completed { run: 1, fallback: None },
            State::Failed { run: 3, error: ErrorCode::OutputMissing },
            State::Cancelled { run: 1 },
        ];
        for (_, mode) in FallbackMode::ALL {
            let fallback = Some((*mode, ErrorCode::ParamInvalid));
            states.push(State::Completed { run: 1, fallback });
        }
        for (_, attempt) in STAGES {
            for flag in [false, true] {
                states.push(State::Processing {
                    run: 1,
                    spent: 1,
                    attempt,
                    resubmitted: flag,
                    cancel_requested: !flag,
                });
            }
        }
        for state in states {
            let columns = StateColumns::from(state);
            let text = StateText {
                status: columns.status.to_owned(),
                run: columns.run,
                spent: columns.spent,
                stage: columns.stage.map(str::to_owned),
                error: columns.error.map(str::to_owned),
                fallback: columns.fallback.map(str::to_owned),
                resubmitted: columns.resubmitted,
                cancel_requested: columns.cancel_requested,
            };
            assert_eq!(text.state(), Some(state));
        }
    }
}
