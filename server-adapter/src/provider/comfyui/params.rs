//! A request as a graph for ComfyUI. Pure.

use onepath_core::GenerateContentRequest;
use serde_json::{Map, Value, json};

use super::workflow::{Workflow, Workflows};
use crate::provider::params::{
    Inputs, Params, Places, Settings, check_images, invalid, negative, positive, seconds, seed,
};
use crate::provider::port::Refusal;

/// The path and body of `POST /prompt`, without what belongs to the attempt. A request without a
/// seed takes `spare`; without one, the workflow's own stays.
pub(super) fn params(
    request: &GenerateContentRequest<'_>,
    places: &Places,
    workflows: &Workflows,
    spare: Option<i64>,
) -> Result<Params, Refusal> {
    let workflow = workflows.of(request)?;
    let mut body = Map::new();
    body.insert("prompt".to_owned(), fill(workflow, request, places, spare)?.into());
    Ok(Params::json("/prompt", body))
}

fn fill(
    workflow: &Workflow,
    request: &GenerateContentRequest<'_>,
    places: &Places,
    spare: Option<i64>,
) -> Result<Map<String, Value>, Refusal> {
    let name = &workflow.name;
    let lacks = |slot: &str| invalid(format!("the workflow `{name}` has no slot `{slot}`"));
    let mut graph = workflow.graph();
    let text = positive(request, workflow.has("negative_prompt"));
    if !text.is_empty() && !workflow.has("prompt") {
        return Err(lacks("prompt"));
    }
    graph.put("prompt", &text.into());
    // What the graph says there is an example: the request says all.
    graph.put("negative_prompt", &negative(request).unwrap_or_default().into());
    if let Some(seed) = seed(request).or(spare) {
        graph.put("seed", &seed.into());
    }
    if let Some(seconds) = seconds(request)? {
        graph.put("duration", &seconds.into());
    }

    let inputs = Inputs::of(request, places)?;
    if inputs.original_video.is_some() {
        return Err(invalid("ComfyUI has no ids of videos: give the video itself"));
    }
    let fused = inputs.fusion.iter().map(|(place, _, _)| *place);
    let images: Vec<&str> = inputs.images.iter().copied().chain(fused).collect();
    check_images(request.operation(), images.len())?;
    let wanted = workflow.count("images");
    if images.len() != wanted {
        let has = images.len();
        return Err(invalid(format!("the workflow `{name}` takes {wanted} pictures, not {has}")));
    }
    graph.put_each("images", images.into_iter().map(Value::from));
    match inputs.video {
        Some(_) if !workflow.has("video") => return Err(lacks("video")),
        Some(video) => graph.put("video", &video.into()),
        None if workflow.has("video") => {
            return Err(invalid(format!("the workflow `{name}` starts from a video")));
        }
        None => {}
    }

    for (setting, value) in Settings::of(request).all() {
        match setting {
            "workflow" | "duration" => {}
            _ if workflow.has(setting) => graph.put(setting, &value),
            _ => return Err(lacks(setting)),
        }
    }
    Ok(graph.into_nodes())
}

/// The body with what belongs to the attempt: under which id it is to be known, and to whom its
/// news are sent.
pub(super) fn with_ids(body: &Value, prompt_id: &str, client_id: &str) -> Value {
    let prompt = body.get("prompt").cloned().unwrap_or_default();
    json!({ "prompt": prompt, "prompt_id": prompt_id, "client_id": client_id })
}
