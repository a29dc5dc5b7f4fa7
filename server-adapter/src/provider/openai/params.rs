//! A request as the body of a call. Pure.

use onepath_core::lifecycle::ErrorCode;
use onepath_core::{GenerateContentRequest, InputRef, InputRole, Operation, ProviderInfo};
use serde_json::{Map, Value};

use crate::provider::params::{FileField, Params, Settings, check_images, invalid, positive};
use crate::provider::port::Refusal;

/// Pictures that an edit may start from.
const MOST_IMAGES: usize = 16;

/// Path, body and files. There is no field for what must not be seen, and none for a seed.
pub(super) fn params(
    request: &GenerateContentRequest<'_>,
    info: &ProviderInfo<'_>,
) -> Result<Params, Refusal> {
    let asked = request.operation();
    if !matches!(asked, Operation::TextToImage | Operation::ImageToImage) {
        return Err(invalid(format!("openai does not offer {asked}")));
    }
    let files = files(request)?;
    check_images(asked, files.len())?;
    // Whatever starts from pictures is an edit.
    let (operation, path) = if files.is_empty() {
        (Operation::TextToImage, "/images/generations")
    } else {
        (Operation::ImageToImage, "/images/edits")
    };
    let settings = Settings::of(request);
    let default = info.default_of("model", Some(operation)).and_then(|value| value.as_text());
    let model = settings.text("model")?.or(default);
    let model = model.ok_or_else(|| invalid("no model is asked for"))?;
    let prompt = positive(request, false);
    if prompt.is_empty() {
        return Err(invalid("openai needs a prompt"));
    }
    let (length, most) = (prompt.chars().count() as u64, longest(info));
    if length > most {
        let detail = format!("the prompt has {length} characters with its constraints, of {most}");
        return Err(Refusal::new(ErrorCode::ParamTooLong, detail));
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("prompt".to_owned(), prompt.into());
    for (name, value) in settings.all().filter(|(name, _)| *name != "model") {
        let mut declared = info.parameters.iter().flatten();
        if !declared.any(|one| one.name.as_str() == name && one.belongs_to(Some(operation))) {
            return Err(invalid(format!("openai has no setting `{name}` for {operation}")));
        }
        body.insert(name.to_owned(), value);
    }
    if files.len() > MOST_IMAGES {
        return Err(invalid(format!("openai takes {MOST_IMAGES} pictures, not {}", files.len())));
    }
    Ok(Params { path: path.to_owned(), body: Value::Object(body), files })
}

fn longest(info: &ProviderInfo<'_>) -> u64 {
    let most = info.prompt_max.map(|most| most.get());
    most.and_then(|most| u64::try_from(most).ok()).unwrap_or(u64::MAX)
}

fn files(request: &GenerateContentRequest<'_>) -> Result<Vec<FileField>, Refusal> {
    let of = |input: &InputRef<'_>| match input.role {
        InputRole::Image | InputRole::NpcBase => Ok(FileField {
            name: "image[]".to_owned(),
            reference: input.reference.as_str().to_owned(),
        }),
        _ => Err(invalid("openai starts from pictures only")),
    };
    request.inputs.iter().flatten().map(of).collect()
}
