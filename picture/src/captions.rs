//! What is said about a request beside its prompt. All of it belongs to the request's identity or
//! is its seed.

use onepath_core::{
    FilmRating, GenerateContentRequest, Rating, RatingTrail, SceneRef, Text, fingerprint,
};

use crate::color;

/// The rating that takes effect.
pub(crate) fn effective(request: &GenerateContentRequest<'_>) -> Rating {
    match fingerprint(request, None) {
        Ok(print) => print.rating.effective,
        // Without the scope's id there is no fingerprint; the bounds hold all the same.
        Err(_) => {
            let social = request.social_context.as_ref();
            let asked = social.and_then(|social| social.content_rating).unwrap_or(Rating::Sfw);
            let bounds = request.bounds.as_ref();
            let film = request.constraints.as_ref().and_then(|constraints| constraints.rating);
            let bounds = [
                bounds.and_then(|bounds| bounds.world),
                bounds.and_then(|bounds| bounds.user),
                film.map(FilmRating::allows),
                None,
            ];
            RatingTrail::new(asked, bounds).effective
        }
    }
}

/// What must be seen, what must not, and what it starts from.
pub(crate) fn notes(request: &GenerateContentRequest<'_>) -> Vec<(String, u8)> {
    let mut notes = Vec::new();
    let joined = |texts: &[&str]| texts.join(", ");
    let constraints = request.constraints.as_ref();
    let list = |texts: Option<&Vec<Text<'_>>>| -> Vec<String> {
        texts.into_iter().flatten().map(|text| text.to_string()).collect()
    };
    let wanted = list(constraints.and_then(|constraints| constraints.required_elements.as_ref()));
    if !wanted.is_empty() {
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        notes.push((format!("+ {}", joined(&wanted)), color::WANTED));
    }
    let mut unwanted =
        list(constraints.and_then(|constraints| constraints.avoid_elements.as_ref()));
    unwanted.extend(request.negative_prompt.as_deref().map(str::to_owned));
    unwanted.retain(|text| !text.trim().is_empty());
    if !unwanted.is_empty() {
        let unwanted: Vec<&str> = unwanted.iter().map(String::as_str).collect();
        notes.push((format!("− {}", joined(&unwanted)), color::UNWANTED));
    }
    let inputs: Vec<&str> = request
        .inputs
        .iter()
        .flatten()
        .map(|input| input.name.as_deref().unwrap_or(input.reference.as_str()))
        .collect();
    if !inputs.is_empty() {
        notes.push((format!("▣ {}", joined(&inputs)), color::MUTED));
    }
    notes
}

/// Moods, pacing, kind of transition, length, seed: what matters most first.
pub(crate) fn facts(request: &GenerateContentRequest<'_>) -> Vec<(String, u8)> {
    let mut facts = Vec::new();
    let style = request.style.as_ref();
    let mood = |style: Option<&str>, scene: Option<&SceneRef<'_>>| {
        let named = style.filter(|mood| !mood.is_empty());
        named.or_else(|| scene?.mood.as_deref()).map(str::to_owned)
    };
    let from =
        mood(style.and_then(|style| style.mood_from.as_deref()), request.from_scene.as_ref());
    let to = mood(style.and_then(|style| style.mood_to.as_deref()), request.to_scene.as_ref());
    let npc = request.npc_params.as_ref().and_then(|npc| npc.emotion.as_deref());
    match (from, to) {
        (Some(from), Some(to)) if from != to => {
            facts.push((format!("{from} → {to}"), color::PAPER));
        }
        (_, Some(mood)) | (Some(mood), None) => facts.push((mood, color::PAPER)),
        (None, None) => facts.extend(npc.map(|mood| (mood.to_owned(), color::PAPER))),
    }
    if let Some(pacing) = style.and_then(|style| style.pacing) {
        facts.push((pacing.word().to_owned(), color::ACCENT));
    }
    if let Some(seed) = &request.seed {
        facts.push((format!("seed {}", seed.as_str()), color::MUTED));
    }
    let duration = request.duration.as_ref();
    if let Some(length) = duration.and_then(|duration| duration.target.or(duration.max)) {
        facts.push((format!("{} s", length.get()), color::MUTED));
    }
    if let Some(change) = style.and_then(|style| style.transition_type) {
        facts.push((change.word().to_owned(), color::MUTED));
    }
    facts
}
