//! Models of providers that have many: which inputs each takes, and by what name. Data, from the
//! operator's file or built in.

use std::collections::BTreeMap;

use onepath_core::{GenerateContentRequest, Operation};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::params::{
    Inputs, Places, Settings, check_images, invalid, negative, positive, seconds, seed,
};
use super::port::Refusal;

/// What a model takes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// What it can be asked for.
    #[serde(deserialize_with = "operations")]
    operations: Vec<Operation>,
    /// The version that is asked for, if not the newest.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// Names of its inputs.
    #[serde(default)]
    input: Slots,
    /// Settings that are handed on by their own names; all, if absent.
    settings: Option<Vec<String>>,
}

/// Operations, by their words.
pub(crate) fn operations<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Operation>, D::Error> {
    let words = Vec::<String>::deserialize(from)?;
    let read = |word: &String| {
        Operation::parse(word).ok_or_else(|| D::Error::custom(format!("`{word}` is no operation")))
    };
    words.iter().map(read).collect()
}

/// The names of a model's inputs; what has no name is not taken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Slots {
    prompt: String,
    negative_prompt: Option<String>,
    /// One picture, the first.
    image: Option<String>,
    /// All pictures, as a list.
    images: Option<String>,
    /// The last picture, if there are two.
    last_image: Option<String>,
    video: Option<String>,
    seed: Option<String>,
    duration: Option<String>,
    /// Whether the duration is text.
    duration_is_text: bool,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            prompt: "prompt".to_owned(),
            negative_prompt: None,
            image: None,
            images: None,
            last_image: None,
            video: None,
            seed: None,
            duration: None,
            duration_is_text: false,
        }
    }
}

/// The models of a provider by name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Models(BTreeMap<String, Model>);

impl Models {
    /// Those of a JSON text.
    pub(crate) fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// With more; one of the same name is replaced.
    pub(crate) fn with(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// Names, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The model that a request asks for.
    pub(crate) fn of<'m>(
        &'m self,
        request: &GenerateContentRequest<'_>,
        default: Option<&'m str>,
    ) -> Result<(&'m str, &'m Model), Refusal> {
        let operation = request.operation();
        let name = Settings::of(request).text("model")?.or(default);
        let name = name.ok_or_else(|| invalid(format!("no model is set up for {operation}")))?;
        let known = self.0.get_key_value(name);
        let (name, model) = known.ok_or_else(|| {
            let all = self.names().join(", ");
            invalid(format!("the model `{name}` is not set up here; there are: {all}"))
        })?;
        if !model.operations.contains(&operation) {
            return Err(invalid(format!("the model `{name}` does not offer {operation}")));
        }
        Ok((name, model))
    }
}

impl Model {
    /// The model's input for a request.
    pub(crate) fn input(
        &self,
        request: &GenerateContentRequest<'_>,
        places: &Places,
    ) -> Result<Map<String, Value>, Refusal> {
        let slots = &self.input;
        let inputs = Inputs::of(request, places)?;
        let operation = request.operation();
        check_images(operation, inputs.images.len())?;
        let mut input = Map::new();
        let mut put = |slot: &Option<String>, value: Option<Value>| {
            if let (Some(name), Some(value)) = (slot, value) {
                input.insert(name.clone(), value);
            }
        };
        let text = positive(request, slots.negative_prompt.is_some());
        put(
            &Some(slots.prompt.clone()),
            Some(text).filter(|text| !text.is_empty()).map(Value::from),
        );
        put(&slots.negative_prompt, negative(request).map(Value::from));
        if slots.images.is_some() {
            let all = (!inputs.images.is_empty()).then(|| Value::from(inputs.images.clone()));
            put(&slots.images, all);
        } else {
            let most = usize::from(slots.image.is_some()) + usize::from(slots.last_image.is_some());
            if inputs.images.len() > most {
                return Err(invalid(format!("the model takes {most} pictures at most")));
            }
            let mut images = inputs.images.iter().copied().map(Value::from);
            put(&slots.image, images.next());
            put(&slots.last_image, images.next());
        }
        if inputs.video.is_some() && slots.video.is_none() {
            return Err(invalid("the model takes no video"));
        }
        put(&slots.video, inputs.video.map(Value::from));
        put(&slots.seed, seed(request).map(Value::from));
        let seconds = seconds(request)?.map(|seconds| {
            if slots.duration_is_text { Value::from(seconds.to_string()) } else { seconds.into() }
        });
        put(&slots.duration, seconds);
        let own = ["model", "duration"];
        for (name, value) in Settings::of(request).all().filter(|(name, _)| !own.contains(name)) {
            if self.settings.as_ref().is_none_or(|taken| taken.iter().any(|one| one == name)) {
                input.insert(name.to_owned(), value);
            }
        }
        Ok(input)
    }
}
