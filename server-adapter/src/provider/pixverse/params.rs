//! A request as a call of PixVerse's API. Pure.

use onepath_core::{FusionKind, GenerateContentRequest, Operation};
use serde_json::{Map, Value, json};

use crate::provider::params::{
    Inputs, Params, Places, Settings, check_images, invalid, negative, positive, seconds, seed,
};
use crate::provider::port::Refusal;

/// Whether a model makes videos: those are named by their version.
fn makes_videos(model: &str) -> bool {
    let mut letters = model.chars();
    model == "c1" || letters.next() == Some('v') && letters.next().is_some_and(char::is_numeric)
}

/// Models that make pictures.
const OF_PICTURES: &[&str] = &[
    "qwen-image",
    "gemini-3.0",
    "gemini-2.5-flash",
    "seedream-4.0",
    "nano-banana",
    "nano-banana-pro",
];

/// Pictures that a transition leads through at most.
const MOST_FRAMES: usize = 7;

/// The path and body of a call.
pub(super) fn params(
    request: &GenerateContentRequest<'_>,
    places: &Places,
) -> Result<Params, Refusal> {
    let operation = request.operation();
    let inputs = Inputs::of(request, places)?;
    check_images(operation, inputs.images.len())?;
    let call = Call { request, inputs, settings: Settings::of(request) };
    if call.settings.get("off_peak") == Some(Value::Bool(true)) {
        return Err(invalid("the API has no off-peak times"));
    }
    match operation {
        Operation::TextToImage | Operation::ImageToImage => call.picture(),
        Operation::TextToVideo => call.text_to_video(),
        Operation::ImageToVideo => call.image_to_video(),
        Operation::VideoExtend => call.extension(),
        Operation::VideoTransition if call.inputs.images.len() > 2 => call.long_transition(),
        Operation::VideoTransition => call.transition(),
        Operation::Fusion => call.fusion(),
    }
}

struct Call<'r> {
    request: &'r GenerateContentRequest<'r>,
    inputs: Inputs<'r>,
    settings: Settings<'r>,
}

impl<'r> Call<'r> {
    /// The model that is asked for, and the usual one where it makes the other kind: a block of
    /// settings serves pictures and videos of one node.
    fn model(&self, pictures: bool) -> Result<&'r str, Refusal> {
        let usual = if pictures { "qwen-image" } else { "v5" };
        let asked = self.settings.text("model")?.unwrap_or(usual);
        let is_other = if pictures { makes_videos(asked) } else { OF_PICTURES.contains(&asked) };
        Ok(if is_other { usual } else { asked })
    }

    fn quality(&self, pictures: bool) -> Result<&'r str, Refusal> {
        Ok(self.settings.text("quality")?.unwrap_or(if pictures { "720p" } else { "360p" }))
    }

    fn aspect(&self) -> Result<&'r str, Refusal> {
        Ok(self.settings.text("aspect_ratio")?.unwrap_or("16:9"))
    }

    /// Seconds: as they are set, else those of the node, taken to the nearest that the model has.
    fn duration(&self, model: &str) -> Result<i64, Refusal> {
        if let Some(set) = self.settings.whole("duration")? {
            return Ok(set);
        }
        let wished = seconds(self.request)?.unwrap_or(5);
        let steps: &[i64] = match model {
            "v6" | "c1" => return Ok(wished.clamp(1, 15)),
            "v5.5" | "v5.6" => &[5, 8, 10],
            _ => &[5, 8],
        };
        Ok(steps.iter().copied().min_by_key(|step| (step - wished).abs()).unwrap_or(5))
    }

    /// What all videos have.
    fn video(&self) -> Result<Map<String, Value>, Refusal> {
        let model = self.model(false)?;
        let mut body = Map::new();
        body.insert("model".to_owned(), model.into());
        body.insert("prompt".to_owned(), positive(self.request, true).into());
        body.insert("quality".to_owned(), self.quality(false)?.into());
        body.insert("duration".to_owned(), self.duration(model)?.into());
        let of_settings = self.settings.text("negative_prompt")?.map(str::to_owned);
        let not: Vec<_> = negative(self.request).into_iter().chain(of_settings).collect();
        if !not.is_empty() {
            body.insert("negative_prompt".to_owned(), not.join(", ").into());
        }
        if let Some(seed) = seed(self.request) {
            body.insert("seed".to_owned(), seed.into());
        }
        for (name, by) in [
            ("motion_mode", "motion_mode"),
            ("style", "style"),
            ("water_mark", "water_mark"),
            ("audio", "generate_audio_switch"),
            ("multi_shot", "generate_multi_clip_switch"),
        ] {
            if let Some(value) = self.settings.get(name) {
                body.insert(by.to_owned(), value);
            }
        }
        if let Some(template) = self.template()? {
            body.insert("template_id".to_owned(), number(template));
        }
        Ok(body)
    }

    /// An effect; `none` is none.
    fn template(&self) -> Result<Option<&'r str>, Refusal> {
        Ok(self.settings.text("template_id")?.filter(|id| *id != "none"))
    }

    fn camera(&self, body: &mut Map<String, Value>) {
        if let Some(camera) = self.settings.get("camera_movement") {
            body.insert("camera_movement".to_owned(), camera);
        }
    }

    fn text_to_video(&self) -> Result<Params, Refusal> {
        let mut body = self.video()?;
        body.insert("aspect_ratio".to_owned(), self.aspect()?.into());
        self.camera(&mut body);
        Ok(Params::json("/openapi/v2/video/text/generate", body))
    }

    fn image_to_video(&self) -> Result<Params, Refusal> {
        let mut body = self.video()?;
        self.camera(&mut body);
        match self.inputs.images.as_slice() {
            [one] => body.insert("img_id".to_owned(), number(one)),
            // An effect may take several.
            all => body.insert("img_ids".to_owned(), numbers(all)),
        };
        Ok(Params::json("/openapi/v2/video/img/generate", body))
    }

    fn extension(&self) -> Result<Params, Refusal> {
        let mut body = self.video()?;
        let (name, place) = match (self.inputs.original_video, self.inputs.video) {
            (Some(id), _) => ("source_video_id", id),
            (None, Some(place)) => ("video_media_id", place),
            (None, None) => return Err(invalid("there is no video to extend")),
        };
        body.insert(name.to_owned(), number(place));
        Ok(Params::json("/openapi/v2/video/extend/generate", body))
    }

    fn transition(&self) -> Result<Params, Refusal> {
        let mut body = self.video()?;
        for (name, place) in ["first_frame_img", "last_frame_img"].iter().zip(&self.inputs.images) {
            body.insert((*name).to_owned(), number(place));
        }
        Ok(Params::json("/openapi/v2/video/transition/generate", body))
    }

    /// Through more than two pictures, each way with its seconds and its prompt.
    fn long_transition(&self) -> Result<Params, Refusal> {
        let images = &self.inputs.images;
        if images.len() > MOST_FRAMES {
            return Err(invalid(format!("a transition leads through {MOST_FRAMES} at most")));
        }
        let ways = images.len() - 1;
        let lengths = self.lengths(ways)?;
        let whole = GenerateContentRequest { prompts: None, ..self.request.clone() };
        let whole = positive(&whole, true);
        let steps = self.request.prompts.as_deref().unwrap_or_default();
        let frames = images.iter().enumerate().map(|(at, place)| {
            let step = steps.get(at).map(|text| text.trim()).filter(|step| !step.is_empty());
            let prompt: Vec<&str> = step
                .into_iter()
                .chain(Some(whole.as_str()).filter(|text| !text.is_empty()))
                .collect();
            // The last is where it ends: no way leads on from it.
            let (seconds, prompt) = match lengths.get(at) {
                Some(seconds) => (*seconds, prompt.join("\n")),
                None => (0, String::new()),
            };
            json!({ "img_id": number(place), "duration": seconds, "prompt": prompt })
        });
        let mut body = self.video()?;
        for name in ["prompt", "duration"] {
            body.remove(name);
        }
        body.insert("multi_transition".to_owned(), frames.collect());
        Ok(Params::json("/openapi/v2/video/multi_transition/generate", body))
    }

    /// The seconds of each way, 1 to 5: as they are set, the last for all that follow; else the
    /// whole in equal parts.
    fn lengths(&self, ways: usize) -> Result<Vec<i64>, Refusal> {
        let parts = i64::try_from(ways).unwrap_or(1);
        let equal = seconds(self.request)?.map_or(5, |all| (all / parts).clamp(1, 5));
        let set = self.settings.text("durations")?.unwrap_or_default();
        let mut set = set.split([',', ' ', ';']).filter(|part| !part.is_empty()).map(|part| {
            let wrong = || invalid(format!("`{part}` in the setting `durations` is no number"));
            part.parse::<i64>().map(|seconds| seconds.clamp(1, 5)).map_err(|_| wrong())
        });
        let mut last = equal;
        let mut lengths = Vec::new();
        for _ in 0..ways {
            last = set.next().transpose()?.unwrap_or(last);
            lengths.push(last);
        }
        Ok(lengths)
    }

    fn fusion(&self) -> Result<Params, Refusal> {
        let mut body = self.video()?;
        body.insert("aspect_ratio".to_owned(), self.aspect()?.into());
        let all = self.inputs.fusion.iter().map(|(place, name, kind)| {
            let mut part = Map::new();
            part.insert("img_id".to_owned(), number(place));
            if let Some(name) = name {
                part.insert("ref_name".to_owned(), (*name).into());
            }
            if let Some(kind) = kind {
                let word = match kind {
                    FusionKind::Subject => "subject",
                    FusionKind::Background => "background",
                };
                part.insert("type".to_owned(), word.into());
            }
            Value::Object(part)
        });
        body.insert("image_references".to_owned(), all.collect());
        Ok(Params::json("/openapi/v2/video/fusion/generate", body))
    }

    fn picture(&self) -> Result<Params, Refusal> {
        let images = &self.inputs.images;
        let mut body = Map::new();
        if let Some(template) = self.template()? {
            if images.is_empty() {
                return Err(invalid("an effect for pictures needs a picture"));
            }
            body.insert("template_id".to_owned(), number(template));
            body.insert("img_ids".to_owned(), numbers(images));
            return Ok(Params::json("/openapi/v2/image/template/generate", body));
        }
        body.insert("model".to_owned(), self.model(true)?.into());
        body.insert("prompt".to_owned(), positive(self.request, false).into());
        body.insert("quality".to_owned(), self.quality(true)?.into());
        body.insert("aspect_ratio".to_owned(), self.aspect()?.into());
        if let Some(seed) = seed(self.request) {
            body.insert("seed".to_owned(), seed.into());
        }
        if !images.is_empty() {
            body.insert("img_ids".to_owned(), numbers(images));
        }
        Ok(Params::json("/openapi/v2/image/generate", body))
    }
}

/// An id of the API's: a whole number where it looks like one.
fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| id.into(), Value::from)
}

fn numbers(ids: &[&str]) -> Value {
    ids.iter().map(|id| number(id)).collect()
}
