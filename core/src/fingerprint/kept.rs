//! A fingerprint that is kept while its config is edited.
//!
//! Some parts of a config decide one member of the identity and nothing else: a duration, what must
//! be seen, a prompt. When only those change, that member is written again in the text that is
//! there, and hashes, seed and key follow from it. No request is built.

use std::ops::Range;

use super::{FAMILY, Fingerprint, Hash, Hashes, REQUEST, derive_seed, hash_of_pair, own_scope};
use crate::build::given_seed;
use crate::config::GenerationNodeConfig;
use crate::facts::Facts;
use crate::identity::write_part;
use crate::json::locate::snake;
use crate::json::reader::{Profile, Reader};
use crate::json::text::JsonText;
use crate::key::scope_text;
use crate::request::GenerateContentRequest;
use crate::validate;
use crate::words::SeedSource;

/// A part of a config that decides one member of the identity, and nothing else of a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Constraints,
    Duration,
    NegativePrompt,
    Prompt,
    Style,
    /// It decides nothing: how a generation is carried out.
    Nothing,
}

impl Part {
    /// The part that holds the field at a pointer of a config.
    pub(crate) fn of(pointer: &str, config: &GenerationNodeConfig<'_>) -> Option<Self> {
        let pointer = snake(pointer);
        let mut steps = pointer.split('/').skip(1);
        // Where a template is named, the prompt also says whether the template is read.
        let no_template = config.template_id.is_none();
        Some(match (steps.next()?, steps.next()) {
            // The film rating lowers the content's.
            ("constraints", Some("required_elements" | "avoid_elements" | "content_rules")) => {
                Self::Constraints
            }
            ("duration", Some(_)) => Self::Duration,
            ("fallback", Some(_)) => Self::Nothing,
            ("negative_prompt", None) if no_template => Self::NegativePrompt,
            ("prompt", None) if no_template => Self::Prompt,
            ("style", Some("mood_from" | "mood_to" | "pacing" | "transition_type")) => Self::Style,
            _ => return None,
        })
    }

    fn member(self) -> &'static str {
        match self {
            Self::Constraints => "constraints",
            Self::Duration => "duration",
            Self::NegativePrompt => "negative_prompt",
            Self::Prompt => "prompt",
            Self::Style => "style",
            Self::Nothing => "",
        }
    }
}

/// Where the seed comes from.
#[derive(Debug, PartialEq)]
enum SeedOf {
    /// The config or its context names one.
    Given,
    /// It is that of the key's own scope.
    Key,
    /// It is that of another scope; none if nobody is named.
    Scope(Option<String>),
}

/// The fingerprint of a config, and how it follows the identity.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) print: Fingerprint,
    /// The scope of the key; none if there is no key.
    scope: Option<String>,
    seed: SeedOf,
    /// Parts that changed since.
    changed: Vec<Part>,
    /// Rules that may refuse what changed.
    rules: Vec<usize>,
    /// Where the member of a part stands in the text.
    place: Option<(Part, Range<usize>)>,
    written: JsonText,
}

impl Kept {
    /// Keeps the fingerprint of the request that was built of these facts.
    pub(crate) fn new(
        print: Fingerprint,
        request: &GenerateContentRequest<'_>,
        facts: &Facts<'_>,
    ) -> Self {
        let seed = if given_seed(facts).is_some() {
            SeedOf::Given
        } else {
            match facts.config.seed_source {
                Some(SeedSource::Playthrough) => {
                    SeedOf::Scope(request.playthrough_id().map(|id| scope_text("pt:", id)))
                }
                Some(SeedSource::Player) => {
                    SeedOf::Scope(request.player_id().map(|id| scope_text("player:", id)))
                }
                _ => SeedOf::Key,
            }
        };
        let scope = own_scope(request).ok().flatten().map(std::borrow::Cow::into_owned);
        let seed = match seed {
            SeedOf::Scope(of) if of == scope => SeedOf::Key,
            other => other,
        };
        Self {
            print,
            scope,
            seed,
            changed: Vec::new(),
            rules: Vec::new(),
            place: None,
            written: JsonText::default(),
        }
    }

    /// Notes that a part changed; `rules` are those that may refuse it.
    pub(crate) fn change(&mut self, part: Part, rules: &[usize]) {
        if !self.changed.contains(&part) {
            self.changed.push(part);
        }
        for rule in rules {
            if !self.rules.contains(rule) {
                self.rules.push(*rule);
            }
        }
    }

    /// Brings the fingerprint to what the config is now. False if that cannot be done, such as when a
    /// rule refuses what changed: then this is of no use any more.
    pub(crate) fn follow(&mut self, facts: &Facts<'_>) -> bool {
        if !validate::run_some(facts, &self.rules).is_empty() {
            return false;
        }
        self.rules.clear();
        let mut other = false;
        while let Some(part) = self.changed.pop() {
            if part == Part::Nothing || self.print.hashes.is_none() {
                continue;
            }
            match self.write(part, facts) {
                Some(differs) => other |= differs,
                None => return false,
            }
        }
        if other {
            self.hash();
        }
        true
    }

    /// Writes the member of a part again; whether it differs. `None` if there is no such member, or
    /// there was none.
    fn write(&mut self, part: Part, facts: &Facts<'_>) -> Option<bool> {
        self.written.truncate(0);
        if !write_part(&mut self.written, part, facts) {
            return None;
        }
        let place = match self.place.take() {
            Some((of, place)) if of == part => place,
            _ => place_of(self.print.canonical()?, part.member())?,
        };
        let differs = self.print.canonical.replace(place.clone(), &self.written);
        self.place = Some((part, place.start..place.start + self.written.len()));
        Some(differs)
    }

    /// Hashes, seed and key of the text.
    fn hash(&mut self) {
        let print = &mut self.print;
        let family = Hash::of(print.canonical.as_bytes());
        let family_hex = family.hex();
        let family_text = family_hex.as_str();
        let seed = |scope: &str| derive_seed(scope, family_text).to_string();
        let own = self.scope.as_deref().map(seed);
        match &self.seed {
            SeedOf::Given => {}
            SeedOf::Key => print.seed.clone_from(&own),
            SeedOf::Scope(scope) => {
                print.seed = scope.as_deref().map(seed);
            }
        }
        let request = hash_of_pair(REQUEST, family_text, print.seed.as_deref());
        if let Some(key) = &mut print.cache_key {
            let shared = print.seed.is_none() || print.seed == own;
            let request_hex = request.hex();
            let tail = if shared { family_text } else { request_hex.as_str() };
            let tail = tail.get(..32).unwrap_or("");
            key.truncate(key.len().saturating_sub(tail.len()));
            key.push_str(tail);
        }
        print.hashes = Some(Hashes { request, family });
    }
}

/// Where the value of a member stands, in an identity that is written behind its prefix.
fn place_of(identity: &str, member: &str) -> Option<Range<usize>> {
    let mut reader = Reader::new(identity, Profile::Any);
    let mut first = true;
    reader.open_object("");
    while let Some(key) = reader.next_key(&mut first) {
        let at = reader.start();
        reader.skip();
        if key.text == member {
            return Some(FAMILY.len() + at..FAMILY.len() + reader.position());
        }
    }
    None
}
