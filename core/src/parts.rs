//! A config and its context as two texts: the door of callers that hold the two apart.

use crate::build::{Prepared, prepare_with};
use crate::config::GenerationNodeConfig;
use crate::context::BuildOptions;
use crate::decode::{Decoded, decode};
use crate::facts::{Facts, Known};
use crate::finding::{Finding, Refusal, Report};
use crate::fingerprint::Fingerprint;
use crate::json::locate::locate;
use crate::request::GenerateContentRequest;
use crate::social::GenerationSocialContext;
use crate::validate;

/// A config and its options, read from two texts.
///
/// Pointers of findings are bare for the config and start with `/options` for the options, spelled
/// as the texts spell their members.
///
/// ```
/// use onepath_core::NodeParts;
///
/// let config = r#"{"generation_type": "text_to_image", "purpose": "ambient", "strategy": "per_player",
///     "prompt": "a lighthouse"}"#;
/// let refusal = NodeParts::read(config, r#"{"providerId": "local", "seeed": 1}"#).prepare().unwrap_err();
/// let found: Vec<_> = refusal.findings().iter().map(|f| (f.code().slug(), f.pointer())).collect();
/// assert_eq!(found, [("json/unknown-field", "/options/seeed"),
///     ("scope/player-missing", "/options/playerContext/playerId")]);
/// let parts = NodeParts::read(config, r#"{"providerId": "local", "user": {"id": 7}}"#);
/// let (_, print) = parts.prepare().unwrap();
/// assert!(print.cache_key.is_some());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NodeParts<'a> {
    texts: [&'a str; 2],
    config: Option<GenerationNodeConfig<'a>>,
    options: BuildOptions<'a>,
    faults: Vec<Finding>,
}

impl<'a> NodeParts<'a> {
    /// Reads both texts; every fault of both is kept.
    #[must_use]
    pub fn read(config: &'a str, options: &'a str) -> Self {
        let texts = [config, options];
        let Decoded { value: config, faults: mut all } = decode::<GenerationNodeConfig<'a>>(config);
        let Decoded { value: options, faults } = decode::<BuildOptions<'a>>(options);
        all.extend(faults.into_iter().map(|mut fault| {
            fault.rebase("/options");
            fault
        }));
        Self { texts, config, options: options.unwrap_or_default(), faults: all }
    }

    /// Puts a rule's finding where the texts have its cause.
    fn place(&self, mut finding: Finding) -> Finding {
        let [config, options] = self.texts;
        let pointer = match finding.pointer().strip_prefix("/options") {
            Some(rest) => format!("/options{}", locate(options, rest).pointer),
            None => locate(config, finding.pointer()).pointer,
        };
        finding.set_pointer(pointer);
        finding
    }

    /// Checks the config with as much of its context as is given.
    #[must_use]
    pub fn check(&self) -> Report {
        let mut out = self.faults.clone();
        if let Some(config) = &self.config {
            let facts = Facts::new(config, &self.options, Known::Given);
            let session = facts.social().as_ref().err().cloned().unwrap_or_default();
            let rules = validate::run(&facts, &self.faults, false);
            out.extend(session.into_iter().chain(rules).map(|finding| self.place(finding)));
        }
        Report::new(out)
    }

    /// Walks the whole path: every finding, and request and fingerprint unless something stops them.
    #[must_use]
    pub fn walk(&self) -> Prepared<'_> {
        let mut out = self.faults.clone();
        let made = self.config.as_ref().and_then(|config| {
            let prepared = prepare_with(config, &self.options, &self.faults, false);
            let rules = prepared.report.into_findings().into_iter();
            out.extend(rules.map(|finding| self.place(finding)));
            prepared.made
        });
        Prepared { report: Report::new(out), made }
    }

    /// Builds and fingerprints.
    ///
    /// # Errors
    ///
    /// The faults of reading and the findings of the rules that stop a build.
    pub fn prepare(&self) -> Result<(GenerateContentRequest<'_>, Fingerprint), Refusal> {
        let Some(config) = &self.config else { return Err(Refusal::new(self.faults.clone())) };
        let prepared = prepare_with(config, &self.options, &self.faults, true);
        match prepared.made {
            Some(made) => Ok(made),
            None => {
                let rules = prepared.report.into_findings().into_iter();
                let rules = rules.map(|finding| self.place(finding));
                Err(Refusal::new(self.faults.iter().cloned().chain(rules).collect()))
            }
        }
    }
}

/// Computes how a player stands to the npcs of a scene, from `session`, `world`, `npcIds`,
/// `socialContextConfig` and the user's wish; the rest of the options is not looked at.
///
/// ```
/// use onepath_core::{BuildOptions, build_social_context, decode};
///
/// let text = r#"{"npcIds": [7], "session": {"stats": {"relationships": {"npc:7":
///     {"affinity": 65, "chemistry": 70, "trust": 45}}}}}"#;
/// let options = decode::<BuildOptions>(text).into_result().unwrap();
/// let context = build_social_context(&options).unwrap();
/// assert_eq!(context.intimacy_level_id.unwrap().as_str(), "intimate");
/// ```
///
/// # Errors
///
/// Relationship entries of another JSON type than the contract has, with pointers into the options.
pub fn build_social_context<'o>(
    options: &'o BuildOptions<'_>,
) -> Result<GenerationSocialContext<'o>, Refusal> {
    crate::social::resolve(None, options).map_err(Refusal::new)
}
