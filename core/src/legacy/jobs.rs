//! Jobs of the system before: their flat parameters as a create request of today.

use crate::config::{DurationRule, FallbackConfig, FusionAsset, GenerationNodeConfig, StyleRules};
use crate::decode::{Text, record};
use crate::envelope::CreateGenerationRequest;
use crate::id::Id;
use crate::json::number::{Integer, Number};
use crate::json::value::{Map, Value};
use crate::operation::Operation;
use crate::words::{FallbackMode, GenerationType, Purpose, Strategy};

record! {
    /// A job as the system before took it.
    #[derive(Default)]
    pub struct CreateJobRequest<'a>("a job", unknown: ignore) {
        /// What the provider is asked to do.
        operation_type: Option<Operation> = "operation_type";
        /// The provider; `pixverse` if absent.
        provider_id: Option<Id<'a>> = "provider_id" with crate::id::optional as Option<crate::id::Optional>;
        /// What is made of what: flat, all operations alike.
        params: Option<Map<'a>> = "params";
        /// The folder it lies in.
        workspace_id: Option<Id<'a>> = "workspace_id" with crate::id::optional as Option<crate::id::Optional>;
        /// The job it takes up again; read and not kept.
        parent_job_id: Option<Integer> = "parent_job_id";
        /// 0 to 10, 0 first; 0 if absent.
        priority: Option<Integer> = "priority";
        /// Not before this time (RFC 3339).
        scheduled_at: Option<Text<'a>> = "scheduled_at";
    }
}

/// Parameters that have a place of their own; the others are settings of the provider.
const OWN: &[&str] = &[
    "prompt",
    "prompts",
    "negative_prompt",
    "image_url",
    "image_urls",
    "video_url",
    "video_url_1",
    "video_url_2",
    "video_urls",
    "original_video_id",
    "duration",
    "extend_seconds",
];

impl<'a> CreateJobRequest<'a> {
    /// The create request that it stands for. Total: whatever is missing or of another type is
    /// found by the rules of a create. A job is always made anew, and one that fails is failed.
    ///
    /// ```
    /// use onepath_core::{decode, legacy::CreateJobRequest};
    ///
    /// let text = r#"{"operation_type": "image_to_video", "provider_id": "local",
    ///     "params": {"prompt": "waves", "image_url": "asset:1", "quality": "540p"}}"#;
    /// let job = decode::<CreateJobRequest>(text).into_result().unwrap();
    /// let create = serde_json::to_value(job.into_create()).unwrap();
    /// assert_eq!(create["config"]["generationType"], "image_to_video");
    /// assert_eq!(create["config"]["imageUrl"], "asset:1");
    /// assert_eq!(create["config"]["style"]["local"]["quality"], "540p");
    /// ```
    #[must_use]
    pub fn into_create(self) -> CreateGenerationRequest<'a> {
        let params = self.params.unwrap_or_default();
        let text = |name: &str| params.get(name).and_then(text);
        let texts = |name: &str| -> Option<Vec<Text<'a>>> {
            match params.get(name)? {
                Value::List(items) => Some(items.iter().filter_map(self::text).collect()),
                Value::Text(one) => Some(vec![one.clone()]),
                _ => None,
            }
        };
        let both = || -> Option<Vec<Text<'a>>> {
            let ends: Vec<Text<'a>> =
                ["video_url_1", "video_url_2"].into_iter().filter_map(text).collect();
            (!ends.is_empty()).then_some(ends)
        };
        let is_transition = self.operation_type == Some(Operation::VideoTransition);
        let seconds = ["extend_seconds", "duration"]
            .into_iter()
            .find_map(|name| params.get(name).and_then(Value::as_number).and_then(Number::new));
        let fusion = texts("video_urls").map(|urls| {
            let asset =
                |reference| FusionAsset { reference: Some(reference), name: None, kind: None };
            urls.into_iter().map(asset).collect()
        });
        let mut config = GenerationNodeConfig {
            generation_type: self.operation_type.map(generation_type),
            purpose: Some(Purpose::Adaptive),
            strategy: Some(Strategy::Always),
            negative_prompt: text("negative_prompt"),
            image_url: text("image_url"),
            image_urls: texts("image_urls").or_else(both),
            video_url: text("video_url"),
            original_video_id: text("original_video_id").and_then(Id::new),
            fusion_assets: fusion,
            duration: seconds
                .map(|target| DurationRule { target: Some(target), ..DurationRule::default() }),
            fallback: Some(FallbackConfig {
                mode: Some(FallbackMode::Retry),
                ..FallbackConfig::default()
            }),
            ..GenerationNodeConfig::default()
        };
        if is_transition {
            // One prompt stands between two ends.
            config.prompts = texts("prompts").or_else(|| texts("prompt"));
        } else {
            config.prompt = text("prompt");
        }
        let provider = self.provider_id.or_else(|| Id::new("pixverse"));
        let settings: Map<'a> = params
            .entries()
            .iter()
            .filter(|(name, _)| !OWN.contains(&name.as_ref()))
            .cloned()
            .collect();
        if let Some(provider) = &provider
            && !settings.is_empty()
        {
            let block = (Text::from(provider.to_string()), settings);
            config.style = Some(StyleRules { blocks: vec![block], ..StyleRules::default() });
        }
        CreateGenerationRequest {
            config: Some(config),
            provider_id: provider,
            workspace_id: self.workspace_id,
            priority: self.priority.or_else(|| Integer::new(0)),
            scheduled_at: self.scheduled_at,
            ..CreateGenerationRequest::default()
        }
    }
}

fn text<'a>(value: &Value<'a>) -> Option<Text<'a>> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn generation_type(operation: Operation) -> GenerationType {
    match operation {
        Operation::TextToImage => GenerationType::TextToImage,
        Operation::ImageToImage => GenerationType::ImageEdit,
        Operation::TextToVideo => GenerationType::TextToVideo,
        Operation::ImageToVideo => GenerationType::ImageToVideo,
        Operation::VideoExtend => GenerationType::VideoExtend,
        Operation::VideoTransition => GenerationType::Transition,
        Operation::Fusion => GenerationType::Fusion,
    }
}

/// Where a fault of the create lies in the job that was sent.
#[must_use]
pub fn job_pointer(pointer: &str) -> String {
    let Some(rest) = pointer.strip_prefix("/config/") else { return pointer.to_owned() };
    let name = match rest.split('/').next().unwrap_or(rest) {
        "generationType" => return "/operation_type".to_owned(),
        "prompts" | "prompt" => "prompt",
        "imageUrl" => "image_url",
        "imageUrls" => "image_urls",
        "videoUrl" => "video_url",
        "negativePrompt" => "negative_prompt",
        "fusionAssets" => "video_urls",
        "duration" => "duration",
        "style" => {
            let setting = rest.splitn(3, '/').nth(2).unwrap_or("");
            return format!("/params/{setting}").trim_end_matches('/').to_owned();
        }
        _ => return "/params".to_owned(),
    };
    format!("/params/{name}")
}
