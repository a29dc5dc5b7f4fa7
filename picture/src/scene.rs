//! What a request's words show: a place, an hour, weather, a mood. English words are known; others
//! choose by chance that is always the same.

use onepath_core::{GenerateContentRequest, GenerationType, SceneRef};

use crate::captions::said;
use crate::color::{Hour, Mood};
use crate::noise;

/// Where a scene plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Interior,
    Water,
    City,
    Forest,
    Mountains,
    Space,
    Hills,
}

/// Who is in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figures {
    Nobody,
    /// Two who talk.
    Talk,
    /// One who reacts: −1 with a frown, 0 without either, 1 with a smile.
    Face(i32),
}

/// A scene as it is painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scene {
    pub(crate) place: Place,
    pub(crate) hour: Hour,
    pub(crate) mood: Mood,
    pub(crate) rain: bool,
    pub(crate) snow: bool,
    pub(crate) fog: bool,
    /// A lighthouse stands there.
    pub(crate) light: bool,
    pub(crate) figures: Figures,
    /// What is left to chance; the same for the same scene and seed.
    pub(crate) chance: u64,
}

/// Words by their beginnings; short ones must be whole.
type Words = &'static [&'static str];

const PLACES: [(Place, Words); 6] = [
    (
        Place::Interior,
        &[
            "room",
            "office",
            "kitchen",
            "hall",
            "tavern",
            "inn",
            "library",
            "cabin",
            "bedroom",
            "house",
            "shop",
            "market",
            "stair",
            "cellar",
            "corridor",
            "cafe",
            "bar",
            "desk",
            "indoor",
            "inside",
            "apartment",
            "attic",
            "temple",
            "church",
            "school",
            "lab",
            "ledger",
        ],
    ),
    (
        Place::Water,
        &[
            "sea", "ocean", "harbor", "harbour", "quay", "ferry", "ship", "boat", "river", "lake",
            "beach", "coast", "bay", "water", "island", "deck", "shore", "pier", "dock", "wave",
        ],
    ),
    (
        Place::City,
        &[
            "city", "cities", "street", "town", "alley", "square", "rooftop", "bridge", "castle",
            "village", "skyline", "neon", "plaza", "station",
        ],
    ),
    (
        Place::Forest,
        &[
            "forest", "wood", "tree", "jungle", "grove", "garden", "park", "orchard", "glade",
            "leaf", "leaves",
        ],
    ),
    (
        Place::Mountains,
        &[
            "mountain", "cliff", "peak", "headland", "canyon", "summit", "volcano", "alp", "ridge",
            "glacier",
        ],
    ),
    (
        Place::Space,
        &[
            "space", "planet", "orbit", "galaxy", "starship", "asteroid", "nebula", "moonbase",
            "cosmos",
        ],
    ),
];

const NIGHT: Words = &["night", "midnight", "moon", "moonlight", "stars", "nocturn"];
const DUSK: Words =
    &["dusk", "sunset", "evening", "twilight", "sundown", "dawn", "sunrise", "daybreak"];
const RAIN: Words =
    &["rain", "rainy", "raining", "stormy", "storm", "drizzle", "downpour", "thunder"];
const SNOW: Words = &["snow", "snowy", "snowing", "blizzard", "winter", "frost", "icy"];
const FOG: Words = &["fog", "foggy", "mist", "misty", "haze", "hazy", "smoke"];
const LIGHT: Words = &["lighthouse", "beacon"];
const SMILE: Words = &[
    "smile", "smiling", "happy", "bright", "amused", "warm", "fond", "laugh", "joy", "joyful",
    "cheer", "glad", "flirt", "tender", "playful",
];
const FROWN: Words = &[
    "frown",
    "sad",
    "angry",
    "stern",
    "cold",
    "worried",
    "tense",
    "fear",
    "afraid",
    "hurt",
    "upset",
    "annoyed",
    "disappointed",
    "crying",
];

/// Characters of a text that are looked at.
const MOST: usize = 2000;

fn is_word(word: &str, words: Words) -> bool {
    words.iter().any(|known| match word.get(..known.len()) {
        Some(start) if known.len() >= 5 => start.eq_ignore_ascii_case(known),
        Some(start) if start.eq_ignore_ascii_case(known) => {
            matches!(word.get(known.len()..), Some("" | "s" | "S"))
        }
        _ => false,
    })
}

/// Texts with their weights.
struct Said<'r>(Vec<(&'r str, u32)>);

impl<'r> Said<'r> {
    fn words(&self) -> impl Iterator<Item = (&'r str, u32)> {
        self.0.iter().flat_map(|&(text, weight)| {
            let end = text.char_indices().nth(MOST).map_or(text.len(), |(end, _)| end);
            let words = text.get(..end).unwrap_or(text);
            words.split(|character: char| !character.is_alphanumeric()).map(move |w| (w, weight))
        })
    }

    fn has(&self, words: Words) -> bool {
        self.words().any(|(word, _)| is_word(word, words))
    }

    /// The place most is said about; the first in the table on a tie.
    fn place(&self) -> Option<Place> {
        let mut counts = [0_u32; PLACES.len()];
        for (word, weight) in self.words() {
            for (count, (_, words)) in counts.iter_mut().zip(&PLACES) {
                if is_word(word, words) {
                    *count += weight;
                }
            }
        }
        let most = counts.iter().copied().max().filter(|&most| most > 0)?;
        let found = counts.iter().zip(&PLACES).find(|(count, _)| **count == most);
        found.map(|(_, (place, _))| *place)
    }
}

/// The prompts of a request, as one text each.
pub(crate) fn prompts<'r>(request: &'r GenerateContentRequest<'_>) -> Vec<&'r str> {
    let own = request.prompt.as_deref().filter(|prompt| !prompt.trim().is_empty());
    let steps = request.prompts.iter().flatten().map(AsRef::as_ref);
    own.into_iter().chain(steps).collect()
}

impl Scene {
    /// The scene that a request leads from, if it names one or its mood, and the one it leads to.
    pub(crate) fn of(request: &GenerateContentRequest<'_>) -> (Option<Self>, Self) {
        let style = request.style.as_ref();
        let mood_from = style.and_then(|style| said(style.mood_from.as_ref()));
        let mood_to = style.and_then(|style| said(style.mood_to.as_ref()));
        let prompts = prompts(request);
        let to_ref = request.to_scene.as_ref();
        // A request that only says where it comes from plays there.
        let from_ref = request.from_scene.as_ref();
        let to = Self::one(request, to_ref.or(from_ref), mood_to.or(mood_from), &prompts);
        let from = (from_ref.is_some() && to_ref.is_some()) || mood_from.is_some();
        let from = from.then(|| {
            let own: &[&str] = if from_ref.is_some() { &[] } else { &prompts };
            Self::one(request, from_ref.or(to_ref), mood_from, own)
        });
        (from.filter(|from| *from != to), to)
    }

    fn one(
        request: &GenerateContentRequest<'_>,
        scene: Option<&SceneRef<'_>>,
        mood: Option<&str>,
        prompts: &[&str],
    ) -> Self {
        let mut texts = Vec::new();
        let mut moods: Vec<&str> = mood.into_iter().collect();
        if let Some(scene) = scene {
            let about = [(scene.location.as_deref(), 8), (scene.summary.as_deref(), 1)];
            texts.push((scene.id.as_str(), 4));
            texts.extend(about.iter().filter_map(|&(text, weight)| Some((text?, weight))));
            moods.extend(scene.mood.as_deref());
            moods.extend(scene.emotional_state.as_deref());
        }
        if let Some(npc) = &request.npc_params {
            moods.extend(npc.emotion.as_deref());
        }
        texts.extend(prompts.iter().map(|&prompt| (prompt, 2)));
        let key = noise::of_text(texts.first().map_or("", |(text, _)| text));
        let said = Said(texts);
        let place = said.place().unwrap_or_else(|| {
            const OPEN: [Place; 4] = [Place::Hills, Place::Mountains, Place::Forest, Place::Water];
            OPEN.get(noise::pick(key, 9, 4) as usize).copied().unwrap_or(Place::Hills)
        });
        let hour = if said.has(NIGHT) || place == Place::Space {
            Hour::Night
        } else if said.has(DUSK) {
            Hour::Dusk
        } else {
            Hour::Day
        };
        let fog = said.has(FOG);
        let words = moods.iter().filter(|mood| !mood.trim().is_empty());
        let named = words.clone().chain(prompts).find_map(|text| Mood::named(cut(text)));
        let mood = named.unwrap_or_else(|| {
            Mood::any(words.clone().next().map_or(key, |word| noise::of_text(word)))
        });
        let seed = request.seed.as_ref().map_or(0, |seed| noise::of_text(seed.as_str()));
        let figures = match request.generation_type {
            GenerationType::Dialogue => Figures::Talk,
            GenerationType::NpcResponse => {
                let npc = request.npc_params.as_ref();
                let shown = npc.and_then(|npc| npc.expression.as_deref());
                let felt = npc.and_then(|npc| npc.emotion.as_deref());
                let face = Said(shown.into_iter().chain(felt).map(|word| (word, 1)).collect());
                Figures::Face(i32::from(face.has(SMILE)) - i32::from(face.has(FROWN)))
            }
            _ => Figures::Nobody,
        };
        Self {
            place,
            hour,
            mood: mood.at(hour, fog),
            rain: said.has(RAIN) && place != Place::Interior,
            snow: said.has(SNOW) && place != Place::Interior,
            fog,
            light: said.has(LIGHT) && place != Place::Interior,
            figures,
            chance: noise::mix(key, seed),
        }
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MOST).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}
