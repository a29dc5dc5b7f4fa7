//! What all adapters need to turn a request into a provider's own parameters. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use onepath_core::lifecycle::ErrorCode;
use onepath_core::{
    FusionKind, GenerateContentRequest, InputRole, Map, Operation, decode, integer_seed,
};
use serde_json::Value;

use super::port::Refusal;

/// What is sent to a provider for a request.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Params {
    /// The path below the provider's address.
    pub path: String,
    /// The body.
    pub body: Value,
    /// Files that are sent beside the body's members, which are then fields of a form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileField>,
}

impl Params {
    /// A JSON body.
    #[must_use]
    pub fn json(path: impl Into<String>, body: serde_json::Map<String, Value>) -> Self {
        Self { path: path.into(), body: Value::Object(body), files: Vec::new() }
    }
}

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileField {
    /// The field's name.
    pub name: String,
    /// The input whose bytes it holds.
    pub reference: String,
}

/// Where the inputs of a request lie for the provider: URLs, data URLs, ids or names of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    of: BTreeMap<String, String>,
    /// Whether a reference that has no place stands for itself.
    preview: bool,
}

impl Places {
    /// None yet: only URLs have a place, their own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For comparing what was sent: every file may be anywhere, as `place` says.
    #[must_use]
    pub(crate) fn anywhere(request: &GenerateContentRequest<'_>, place: &str) -> Self {
        let mut places = Self::new();
        for input in request.inputs.iter().flatten() {
            let reference = input.reference.as_str();
            if reference.starts_with("asset:") {
                places.put(reference, place);
            }
        }
        places
    }

    /// For showing what would be sent: every reference stands for itself.
    #[must_use]
    pub fn preview() -> Self {
        Self { preview: true, ..Self::default() }
    }

    /// Puts an input at a place.
    #[must_use]
    pub fn with(mut self, reference: &str, place: impl Into<String>) -> Self {
        self.put(reference, place);
        self
    }

    /// Puts an input at a place.
    pub fn put(&mut self, reference: &str, place: impl Into<String>) {
        self.of.insert(reference.to_owned(), place.into());
    }

    /// The place of an input.
    ///
    /// # Errors
    ///
    /// `param_invalid` for an asset that was not handed over.
    pub fn of<'p>(&'p self, reference: &'p str) -> Result<&'p str, Refusal> {
        let is_url = ["https://", "http://"].iter().any(|scheme| reference.starts_with(scheme));
        match self.of.get(reference) {
            Some(place) => Ok(place),
            None if is_url || self.preview => Ok(reference),
            None => Err(invalid(format!("the input `{reference}` cannot be handed over"))),
        }
    }
}

/// The inputs of a request by what they are to it, at their places.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Inputs<'r> {
    /// Pictures, the npc's portrait among them.
    pub(crate) images: Vec<&'r str>,
    /// The video.
    pub(crate) video: Option<&'r str>,
    /// The provider's own id of a video that it made before.
    pub(crate) original_video: Option<&'r str>,
    /// Parts of a fusion: place, name, kind.
    pub(crate) fusion: Vec<(&'r str, Option<&'r str>, Option<FusionKind>)>,
}

impl<'r> Inputs<'r> {
    pub(crate) fn of(
        request: &'r GenerateContentRequest<'_>,
        places: &'r Places,
    ) -> Result<Self, Refusal> {
        let mut inputs = Self::default();
        for input in request.inputs.iter().flatten() {
            let reference = input.reference.as_str();
            match input.role {
                InputRole::Image | InputRole::NpcBase => inputs.images.push(places.of(reference)?),
                InputRole::Video => inputs.video = Some(places.of(reference)?),
                InputRole::OriginalVideo => inputs.original_video = Some(reference),
                InputRole::Fusion => {
                    let place = places.of(reference)?;
                    inputs.fusion.push((place, input.name.as_deref(), input.kind));
                }
            }
        }
        Ok(inputs)
    }
}

/// The text of a request as a request.
pub(crate) fn read(text: &str) -> Result<GenerateContentRequest<'_>, Refusal> {
    decode(text).into_result().map_err(|error| invalid(error.to_string()))
}

/// A parameter is wrong.
pub(crate) fn invalid(detail: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::ParamInvalid, detail)
}

/// The settings of a request: `""` and `null` are absent, and so is what is not there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings<'r>(Option<&'r Map<'r>>);

impl<'r> Settings<'r> {
    pub(crate) fn of(request: &'r GenerateContentRequest<'_>) -> Self {
        Self(request.provider_settings.as_ref())
    }

    fn value(self, name: &str) -> Option<&'r onepath_core::Value<'r>> {
        use onepath_core::Value;
        let value = self.0?.get(name)?;
        (!matches!(value, Value::Null) && value.as_text() != Some("")).then_some(value)
    }

    /// A setting as JSON.
    pub(crate) fn get(self, name: &str) -> Option<Value> {
        serde_json::to_value(self.value(name)?).ok()
    }

    /// A setting that is text.
    pub(crate) fn text(self, name: &str) -> Result<Option<&'r str>, Refusal> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_text().map(Some).ok_or_else(|| invalid(format!("the setting `{name}` is no text")))
    }

    /// A setting that is a whole number.
    pub(crate) fn whole(self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let whole = value.as_number().filter(|number| number.fract() == 0.0);
        #[allow(clippy::cast_possible_truncation, reason = "whole, and numbers end at 2^53")]
        let whole = whole.map(|number| number as i64);
        whole.map(Some).ok_or_else(|| invalid(format!("the setting `{name}` is no whole number")))
    }

    /// Names and values, without those that are absent.
    pub(crate) fn all(self) -> impl Iterator<Item = (&'r str, Value)> {
        let members = self.0.into_iter().flat_map(Map::iter);
        members.filter_map(move |(name, _)| Some((name, self.get(name)?)))
    }
}

/// The seconds that a request asks for: the setting `duration`, else the node's target.
pub(crate) fn seconds(request: &GenerateContentRequest<'_>) -> Result<Option<i64>, Refusal> {
    if let Some(seconds) = Settings::of(request).whole("duration")? {
        return Ok(Some(seconds));
    }
    let target = request.duration.as_ref().and_then(|duration| duration.target);
    #[allow(clippy::cast_possible_truncation, reason = "rounded, and numbers end at 2^53")]
    let seconds = target.map(|target| target.get().round() as i64);
    Ok(seconds)
}

/// The seed as a whole number.
pub(crate) fn seed(request: &GenerateContentRequest<'_>) -> Option<i64> {
    request.seed.as_ref().map(|seed| i64::from(integer_seed(seed.as_str())))
}

/// What the provider is told to show. The prompt as it is, and those of the steps; then, each as a sentence of its own, what
/// the node says beside it: moods, what must be in it and, where the provider has no field for it,
/// what must not. A designer's constraint is no remark: it reaches the model.
pub(crate) fn positive(request: &GenerateContentRequest<'_>, has_negative: bool) -> String {
    let mut parts: Vec<Cow<'_, str>> = Vec::new();
    let steps = request.prompts.iter().flatten().map(AsRef::as_ref);
    let prompts = request.prompt.as_deref().into_iter().chain(steps).map(str::trim);
    parts.extend(prompts.filter(|prompt| !prompt.is_empty()).map(Cow::Borrowed));
    if let Some(style) = &request.style {
        let (from, to) = (style.mood_from.as_deref(), style.mood_to.as_deref());
        match (from.filter(|mood| !mood.is_empty()), to.filter(|mood| !mood.is_empty())) {
            (Some(from), Some(to)) if from != to => {
                parts.push(format!("Mood: from {from} to {to}.").into());
            }
            (Some(mood), _) | (None, Some(mood)) => parts.push(format!("Mood: {mood}.").into()),
            (None, None) => {}
        }
    }
    if let Some(constraints) = &request.constraints {
        let mut list = |label: &str, items: Option<&Vec<Cow<'_, str>>>| {
            let items: Vec<&str> =
                items.into_iter().flatten().map(AsRef::as_ref).filter(|i| !i.is_empty()).collect();
            if !items.is_empty() {
                parts.push(format!("{label}: {}.", items.join(", ")).into());
            }
        };
        list("Show", constraints.required_elements.as_ref());
        list("Rules", constraints.content_rules.as_ref());
    }
    let not = negative(request);
    if let Some(not) = not.filter(|_| !has_negative) {
        parts.push(format!("Do not show: {not}.").into());
    }
    parts.join("\n")
}

/// What the provider is told not to show.
pub(crate) fn negative(request: &GenerateContentRequest<'_>) -> Option<String> {
    let own = request.negative_prompt.as_deref().map(str::trim);
    let avoided = request.constraints.as_ref().and_then(|all| all.avoid_elements.as_ref());
    let all: Vec<&str> = own
        .into_iter()
        .chain(avoided.into_iter().flatten().map(AsRef::as_ref))
        .filter(|text| !text.is_empty())
        .collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Refuses an operation that needs pictures and has none.
pub(crate) fn check_images(operation: Operation, images: usize) -> Result<(), Refusal> {
    let least = match operation {
        Operation::ImageToImage | Operation::ImageToVideo => 1,
        Operation::VideoTransition => 2,
        Operation::TextToImage
        | Operation::TextToVideo
        | Operation::VideoExtend
        | Operation::Fusion => 0,
    };
    if images < least {
        return Err(invalid(format!("{operation} needs {least} pictures and has {images}")));
    }
    Ok(())
}
