//! What rules and build both need to know, worked out once, when it is asked for first.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::codes::Code;
use crate::config::GenerationNodeConfig;
use crate::context::{BuildOptions, Named, Npc, Template, Terms};
use crate::decode::Text;
use crate::finding::Finding;
use crate::id::Id;
use crate::json::locate::escape;
use crate::json::value::{Map, Value};
use crate::operation::Operation;
use crate::prompt::Rendering;
use crate::provider::ProviderInfo;
use crate::rating::{Rating, lower};
use crate::seed::Seed;
use crate::social::{self, GenerationSocialContext};
use crate::words::{GenerationType, VariableType};

/// How much of the context is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Everything there is: a rule about the context speaks about what is absent too.
    All,
    /// What is given: a rule about a part of the context runs only if that part is there.
    Given,
}

/// The template a config names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TemplateState<'f> {
    /// The prompt comes from elsewhere.
    NotRead,
    /// It is needed and not among the templates given.
    Missing,
    /// It is read.
    Read(&'f Template<'f>),
}

/// The texts of a node, rendered.
#[derive(Debug)]
pub(crate) struct Texts<'f> {
    pub(crate) prompt: Option<Text<'f>>,
    pub(crate) negative: Option<Text<'f>>,
    pub(crate) prompts: Option<Vec<Text<'f>>>,
    pub(crate) prompt_pointer: Cow<'static, str>,
    pub(crate) rendering: Rendering,
}

/// A config and its context, with everything that is worked out of the two.
#[derive(Debug)]
pub(crate) struct Facts<'f> {
    pub(crate) config: &'f GenerationNodeConfig<'f>,
    pub(crate) options: &'f BuildOptions<'f>,
    pub(crate) known: Known,
    pub(crate) generation_type: Option<GenerationType>,
    pub(crate) operation: Option<Operation>,
    provider: OnceCell<Option<&'f ProviderInfo<'f>>>,
    social: OnceCell<Result<GenerationSocialContext<'f>, Vec<Finding>>>,
    texts: OnceCell<Texts<'f>>,
    seed: OnceCell<Result<Option<Seed<'f>>, String>>,
}

/// What is not `""`.
pub(crate) fn filled<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
    text.map(AsRef::as_ref).filter(|text: &&str| !text.is_empty())
}

impl<'f> Facts<'f> {
    pub(crate) fn new(
        config: &'f GenerationNodeConfig<'f>,
        options: &'f BuildOptions<'f>,
        known: Known,
    ) -> Self {
        Self {
            config,
            options,
            known,
            generation_type: config.generation_type,
            operation: config.generation_type.map(GenerationType::operation),
            provider: OnceCell::new(),
            social: OnceCell::new(),
            texts: OnceCell::new(),
            seed: OnceCell::new(),
        }
    }

    /// What the asked provider declares, if it is known.
    pub(crate) fn provider(&self) -> Option<&'f ProviderInfo<'f>> {
        *self.provider.get_or_init(|| self.options.provider_info())
    }

    /// The settings of the asked provider.
    pub(crate) fn block(&self) -> Option<&'f Map<'f>> {
        match (self.options.provider_id(), &self.config.style) {
            (Some(id), Some(style)) => style.block(id.as_str()),
            _ => None,
        }
    }

    /// How the player stands to the npcs; `Err` are faults of the session.
    pub(crate) fn social(&self) -> &Result<GenerationSocialContext<'f>, Vec<Finding>> {
        self.social.get_or_init(|| {
            let mut social = social::resolve(self.config.social_context.as_ref(), self.options);
            if let Err(findings) = &mut social {
                for finding in findings {
                    finding.rebase("/options");
                }
            }
            social
        })
    }

    /// What a bound is where nobody says one.
    fn silent(&self) -> Option<Rating> {
        let bounds = self.options.bounds.as_ref();
        let unbounded = bounds.and_then(|bounds| bounds.unbounded) == Some(true);
        (!unbounded).then_some(Rating::SILENT)
    }

    /// The world's bound.
    pub(crate) fn world_bound(&self) -> Option<Rating> {
        let bounds = self.options.bounds.as_ref();
        let declared =
            self.options.world_generation().and_then(|generation| generation.max_content_rating);
        lower(declared.or(self.silent()), bounds.and_then(|bounds| bounds.world))
    }

    /// The user's bound.
    pub(crate) fn user_bound(&self) -> Option<Rating> {
        let options = self.options;
        let bounds = options.bounds.as_ref();
        let wished = options.user.as_ref().and_then(|user| user.max_content_rating);
        let configured =
            options.social_context_config.as_ref().and_then(|config| config.max_content_rating);
        let given = lower(wished.or(self.silent()), bounds.and_then(|bounds| bounds.user));
        lower(given, configured)
    }

    /// The template that the config names.
    pub(crate) fn template(&self) -> TemplateState<'f> {
        template_state(self.config, self.options)
    }

    /// The texts of the node, rendered.
    pub(crate) fn texts(&self) -> &Texts<'f> {
        self.texts.get_or_init(|| render(self.config, self.options, self.template()))
    }

    /// The explicit seed; `Err` is the pointer of a malformed one.
    pub(crate) fn seed(&self) -> &Result<Option<Seed<'f>>, String> {
        self.seed.get_or_init(|| explicit_seed(self.config, self.options, self.block()))
    }

    /// Whether rules about the whole context speak.
    pub(crate) fn all(&self) -> bool {
        self.known == Known::All
    }

    /// The rating that is asked for: of the resolved context, else of the one written by hand.
    pub(crate) fn asked_rating(&self) -> Option<Rating> {
        match &self.config.social_context {
            Some(by_hand) => by_hand.content_rating,
            None => self.social().as_ref().ok().and_then(|social| social.content_rating),
        }
    }

    /// The images that are given, `imageUrl` first; empty texts are absent.
    pub(crate) fn images(&self) -> impl Iterator<Item = &'f str> {
        let config = self.config;
        filled(config.image_url.as_ref()).into_iter().chain(
            config
                .image_urls
                .as_deref()
                .unwrap_or_default()
                .iter()
                .map(AsRef::as_ref)
                .filter(|url: &&str| !url.is_empty()),
        )
    }

    /// The npc that an `npc_response` shows: the first of the options' ids, else of the social
    /// context's, else of the npcs.
    pub(crate) fn npc(&self) -> Option<(Id<'_>, Option<&'f Npc<'f>>)> {
        if self.generation_type != Some(GenerationType::NpcResponse) {
            return None;
        }
        let npcs = self.options.npcs.as_deref().unwrap_or_default();
        let id = self
            .options
            .npc_ids
            .as_deref()
            .and_then(<[_]>::first)
            .or_else(|| self.social().as_ref().ok()?.npc_ids.as_deref()?.first())
            .or_else(|| npcs.first().map(|npc| &npc.id))?;
        Some((id.by_ref(), npcs.iter().find(|npc| npc.id == *id)))
    }

    /// The terms of world, provider and tenant.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &'f Terms<'f>> {
        let world =
            self.options.world_generation().and_then(|generation| generation.terms.as_ref());
        let provider = self.provider().and_then(|provider| provider.terms.as_ref());
        world.into_iter().chain(provider).chain(self.options.terms.as_ref())
    }
}

/// The template is read only if neither options nor config give a prompt.
pub(crate) fn template_state<'f>(
    config: &'f GenerationNodeConfig<'f>,
    options: &'f BuildOptions<'f>,
) -> TemplateState<'f> {
    let Some(id) = &config.template_id else { return TemplateState::NotRead };
    if filled(options.prompt.as_ref()).is_some() || filled(config.prompt.as_ref()).is_some() {
        return TemplateState::NotRead;
    }
    match options.templates.as_ref().and_then(|templates| templates.get(id.as_str())) {
        Some(template)
            if config
                .template_version_id
                .as_ref()
                .is_none_or(|pinned| *pinned == template.version_id) =>
        {
            TemplateState::Read(template)
        }
        _ => TemplateState::Missing,
    }
}

fn render<'f>(
    config: &'f GenerationNodeConfig<'f>,
    options: &'f BuildOptions<'f>,
    template: TemplateState<'f>,
) -> Texts<'f> {
    let template = match template {
        TemplateState::Read(template) => Some(template),
        _ => None,
    };
    let lookup = |name: &str| -> Option<&'f Value<'f>> {
        options
            .variables
            .as_ref()
            .and_then(|variables| variables.get(name))
            .or_else(|| config.variables.as_ref().and_then(|variables| variables.get(name)))
            .or_else(|| template.and_then(|template| template.variables.as_ref()?.get(name)))
    };
    let in_template = |part: &str| -> Cow<'static, str> {
        let id = config.template_id.as_ref().map_or("", Id::as_str);
        Cow::Owned(format!("/options/templates/{}/{part}", escape(id)))
    };
    let mut rendering = Rendering::default();
    let (source, prompt_pointer) = if let Some(prompt) = filled(options.prompt.as_ref()) {
        (Some(prompt), Cow::Borrowed("/options/prompt"))
    } else if let Some(prompt) = filled(config.prompt.as_ref()) {
        (Some(prompt), Cow::Borrowed("/prompt"))
    } else if let Some(template) = template {
        (Some(template.text.as_deref().unwrap_or("")), in_template("text"))
    } else {
        (None, Cow::Borrowed("/prompt"))
    };
    let prompt = source.map(|source| rendering.render(source, &|| prompt_pointer.clone(), &lookup));
    let negative = if let Some(negative) = filled(config.negative_prompt.as_ref()) {
        Some(rendering.render(negative, &|| Cow::Borrowed("/negativePrompt"), &lookup))
    } else {
        template
            .and_then(|template| filled(template.negative_text.as_ref()))
            .map(|negative| rendering.render(negative, &|| in_template("negativeText"), &lookup))
    };
    let prompts = config.prompts.as_ref().map(|prompts| {
        let render = |(index, prompt): (usize, &'f Text<'f>)| {
            rendering.render(prompt, &|| Cow::Owned(format!("/prompts/{index}")), &lookup)
        };
        prompts.iter().enumerate().map(render).collect()
    });
    if let Some(types) = template.and_then(|template| template.types.as_ref()) {
        check_types(types, &lookup, &prompt_pointer, &mut rendering);
    }
    Texts { prompt, negative, prompts, prompt_pointer, rendering }
}

/// Values that are not of the type that the template declares; what has no text at all is told
/// already.
fn check_types<'f>(
    types: &Named<'f, VariableType>,
    lookup: &dyn Fn(&str) -> Option<&'f Value<'f>>,
    pointer: &str,
    rendering: &mut Rendering,
) {
    for (name, kind) in types.iter() {
        let plain = |value: &&Value<'_>| !matches!(value, Value::Map(_) | Value::List(_));
        let used = rendering.used.iter().any(|used| used == name);
        let value = lookup(name).filter(plain).filter(|_| used);
        if let Some(value) = value.filter(|value| !kind.takes(value)) {
            rendering.faults.push(
                Finding::new(Code::PromptVariableType, pointer.to_owned())
                    .arg(name.to_owned())
                    .arg(value.kind())
                    .arg(format!("the template declares a {}", kind.word())),
            );
        }
    }
}

/// The first of the options' seed, the config's, and that of the provider's block.
fn explicit_seed<'f>(
    config: &'f GenerationNodeConfig<'f>,
    options: &'f BuildOptions<'f>,
    block: Option<&'f Map<'f>>,
) -> Result<Option<Seed<'f>>, String> {
    let of_block = match block.and_then(|block| block.get("seed")) {
        Some(value) => Seed::from_value(value).map_err(|()| {
            let id = options.provider_id().map_or("", Id::as_str);
            format!("/style/{}/seed", escape(id))
        })?,
        None => None,
    };
    let given = options.seed.as_ref().or(config.seed.as_ref()).map(Seed::by_ref);
    Ok(given.or(of_block))
}

impl Facts<'_> {
    /// The finding of a malformed seed in a provider's block.
    pub(crate) fn malformed_seed(&self) -> Option<Finding> {
        self.seed().as_ref().err().map(|pointer| Finding::new(Code::SeedMalformed, pointer.clone()))
    }
}
