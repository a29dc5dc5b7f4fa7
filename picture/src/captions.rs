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

/// A text, unless it is empty: in the identity that counts as absent.
pub(crate) fn said<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
    text.map(AsRef::as_ref).filter(|text| !text.is_empty())
}

/// What must be seen, what must not, and what it starts from.
pub(crate) fn notes(request: &GenerateContentRequest<'_>) -> Vec<(String, u8)> {
    // Elements are sets: neither their order nor a repetition says anything.
    fn set<'t>(texts: Option<&'t Vec<Text<'_>>>) -> Vec<&'t str> {
        let mut set: Vec<&str> = texts.into_iter().flatten().map(AsRef::as_ref).collect();
        set.sort_unstable();
        set.dedup();
        set
    }
    let constraints = request.constraints.as_ref();
    let wanted = set(constraints.and_then(|constraints| constraints.required_elements.as_ref()));
    let mut unwanted = set(constraints.and_then(|constraints| constraints.avoid_elements.as_ref()));
    unwanted.extend(said(request.negative_prompt.as_ref()));
    let inputs = request.inputs.iter().flatten();
    let inputs: Vec<&str> =
        inputs.map(|input| said(input.name.as_ref()).unwrap_or(input.reference.as_str())).collect();
    [("+", wanted, color::WANTED), ("−", unwanted, color::UNWANTED), ("▣", inputs, color::MUTED)]
        .into_iter()
        .filter(|(_, texts, _)| !texts.is_empty())
        .map(|(sign, texts, color)| (format!("{sign} {}", texts.join(", ")), color))
        .collect()
}

/// Moods, pacing, kind of transition, length, seed: what matters most first.
pub(crate) fn facts(request: &GenerateContentRequest<'_>) -> Vec<(String, u8)> {
    let mut facts = Vec::new();
    let style = request.style.as_ref();
    let mood = |style: Option<&Text<'_>>, scene: Option<&SceneRef<'_>>| {
        said(style).or_else(|| said(scene?.mood.as_ref())).map(str::to_owned)
    };
    let from = mood(style.and_then(|style| style.mood_from.as_ref()), request.from_scene.as_ref());
    let to = mood(style.and_then(|style| style.mood_to.as_ref()), request.to_scene.as_ref());
    let npc = request.npc_params.as_ref().and_then(|npc| said(npc.emotion.as_ref()));
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
