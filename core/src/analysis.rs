//! What a prompt speaks about: who, what they do, where, in what mood, seen how.
//!
//! A table of words, and nothing that was learned: the same text is always taken apart the same way.

use crate::decode::words;
use crate::terms;

words! {
    /// What a part of a prompt speaks about.
    pub enum PromptRole: JsonUnknownWord {
        /// Who is seen.
        Character = "character",
        /// What they do.
        Action = "action",
        /// Where and when it is.
        Setting = "setting",
        /// How it feels.
        Mood = "mood",
        /// How it is seen.
        Camera = "camera",
    }
}

/// Words of a part that speak about one thing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoleWords {
    /// About what.
    pub role: PromptRole,
    /// The words, in lower case, in their order.
    pub words: Vec<String>,
}

/// A part of a prompt: what stands between commas, full stops and the like.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PromptPart {
    /// The part as it is written.
    pub text: String,
    /// What it mostly speaks about; absent if no word of it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<PromptRole>,
    /// Everything that it speaks about, with the words that say so.
    pub roles: Vec<RoleWords>,
}

/// What a prompt speaks about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PromptAnalysis {
    /// Its parts, in order.
    pub parts: Vec<PromptPart>,
    /// What no part speaks about.
    pub missing: Vec<PromptRole>,
}

/// The words of each role, in their plain form. The order decides where a part speaks equally about
/// two things.
const TABLE: &[(PromptRole, &str)] = &[
    (
        PromptRole::Camera,
        "aerial|angle|backlit|bokeh|bird's eye|camera|close up|closeup|crane shot|cut to|depth of field|dolly|\
         drone shot|dutch angle|establishing shot|fisheye|focus|frame|framing|handheld|high angle|landscape shot|\
         lens|long shot|low angle|macro|medium shot|motion blur|over the shoulder|pan|panorama|panoramic|portrait|\
         pov|shallow focus|shot|slow motion|still frame|telephoto|tilt|timelapse|top down|tracking|viewpoint|\
         wide|wide angle|zoom",
    ),
    (
        PromptRole::Mood,
        "angry|anxious|bleak|brooding|calm|cheerful|cold|comforting|cozy|cosy|creepy|dark|dramatic|dreamlike|\
         dreamy|eerie|elegant|epic|festive|foreboding|gentle|gloomy|grim|happy|haunting|hopeful|intimate|joyful|\
         lonely|melancholic|melancholy|menacing|moody|mysterious|nostalgic|ominous|peaceful|playful|quiet|romantic|\
         sad|serene|silence|silent|sinister|solemn|somber|sombre|soft|still|tender|tense|tension|tranquil|uneasy|\
         warm|watchful|whimsical|wistful",
    ),
    (
        PromptRole::Action,
        "argue|arrive|bend|breathe|carry|chase|climb|close|cook|cry|dance|draw|drift|drink|drive|eat|embrace|enter|\
         fall|fight|float|fly|follow|gaze|hold|hover|hug|jump|kiss|kneel|laugh|lean|leave|lie|light|listen|look|\
         march|move|nod|open|paint|play|point|pour|pull|push|raise|reach|read|rest|ride|rise|rock|roll|row|run|sail|\
         search|sing|sit|sleep|smile|speak|spin|stand|stare|step|swim|swing|talk|throw|touch|travel|turn|wait|walk|\
         wander|watch|wave|weep|whisper|work|write",
    ),
    (
        PromptRole::Setting,
        "afternoon|alley|autumn|bar|beach|bedroom|bridge|building|cabin|cafe|castle|cave|church|city|cliff|cloud|\
         coast|corridor|courtyard|dawn|daylight|desert|dock|door|dusk|evening|factory|farm|field|first light|fog|\
         forest|garden|golden hour|hall|harbor|harbour|hill|horizon|house|indoors|interior|island|kitchen|lake|\
         library|lighthouse|market|midnight|mist|moonlight|morning|mountain|night|noon|ocean|office|outdoors|park|\
         pier|planet|quay|rain|river|road|rooftop|room|ruin|school|sea|shore|sky|snow|space|spring|square|stair|\
         station|storm|street|summer|sunlight|sunrise|sunset|temple|tower|town|twilight|valley|village|wall|water|\
         window|winter|wood",
    ),
    (
        PromptRole::Character,
        "actor|animal|baby|bird|boy|captain|cat|character|child|children|couple|crew|crowd|dog|dragon|elf|family|\
         farmer|father|ferryman|figure|fisherman|friend|ghost|girl|guard|gull|hero|heroine|horse|keeper|king|knight|\
         lady|lover|man|men|merchant|monster|mother|musician|npc|officer|people|person|pilot|priest|prince|princess|\
         queen|robot|sailor|sister|brother|soldier|someone|stranger|student|teacher|traveler|traveller|villager|\
         warrior|wizard|wolf|woman|women",
    ),
];

/// Takes a prompt apart by a table of English words.
///
/// ```
/// use onepath_core::{PromptRole, analyze_prompt};
///
/// let told = analyze_prompt("An old keeper climbs the stair, calm. Wide shot");
/// let roles: Vec<_> = told.parts.iter().map(|part| part.role.map(PromptRole::word)).collect();
/// assert_eq!(roles, [Some("action"), Some("mood"), Some("camera")]);
/// assert_eq!(told.parts[0].roles[2].words, ["keeper"]);
/// assert_eq!(told.missing, []);
/// ```
#[must_use]
pub fn analyze_prompt(text: &str) -> PromptAnalysis {
    let parts: Vec<PromptPart> = split(text).map(part).collect();
    let told = |role: PromptRole| {
        parts.iter().any(|part| part.roles.iter().any(|known| known.role == role))
    };
    let all = PromptRole::ALL.iter().map(|(_, role)| *role);
    let missing = all.filter(|role| !told(*role)).collect();
    PromptAnalysis { parts, missing }
}

/// What stands between marks that end a thought; a point within a number or a name ends none.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = rest.char_indices().find(|(at, mark)| ends(rest, *at, *mark));
            let (at, length) = end.map_or((rest.len(), 0), |(at, mark)| (at, mark.len_utf8()));
            let (thought, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
            rest = behind.get(length..).unwrap_or("");
            let thought = thought.trim();
            if !thought.is_empty() {
                return Some(thought);
            }
        }
    })
}

fn ends(text: &str, at: usize, mark: char) -> bool {
    let next = text.get(at + mark.len_utf8()..).and_then(|rest| rest.chars().next());
    match mark {
        '.' | ',' | ':' => next.is_none_or(char::is_whitespace),
        ';' | '!' | '?' | '\n' | '—' | '–' | '|' => true,
        _ => false,
    }
}

fn part(text: &str) -> PromptPart {
    let words = terms::words(text);
    let roles: Vec<RoleWords> = TABLE
        .iter()
        .filter_map(|(role, list)| {
            let words = found(&words, list);
            (!words.is_empty()).then_some(RoleWords { role: *role, words })
        })
        .collect();
    // The first of those with most words: `max_by_key` gives the last.
    let role = roles.iter().rev().max_by_key(|known| known.words.len()).map(|known| known.role);
    PromptPart { text: text.to_owned(), role, roles }
}

/// The entries of a list that the words hold, in the order of the words.
fn found(words: &[String], list: &str) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for entry in list.split('|') {
        let entry = terms::words(entry);
        let fits =
            |window: &[String]| window.iter().zip(&entry).all(|(word, plain)| is_form(word, plain));
        let Some(at) = words.windows(entry.len()).position(fits) else { continue };
        let written = words.get(at..at + entry.len()).unwrap_or_default().join(" ");
        if !found.iter().any(|(_, known)| *known == written) {
            found.push((at, written));
        }
    }
    found.sort();
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// Whether a word is the plain one, or a usual form of it.
fn is_form(word: &str, plain: &str) -> bool {
    let Some(end) = word.strip_prefix(plain) else {
        // `dancing` of `dance`, `carries` of `carry`.
        let short = |cut: char| plain.strip_suffix(cut).and_then(|stem| word.strip_prefix(stem));
        return short('e') == Some("ing") || matches!(short('y'), Some("ies" | "ied"));
    };
    let doubled = |end: &str| {
        let last = plain.chars().next_back();
        last.is_some_and(|last| {
            end.strip_prefix(last).is_some_and(|end| matches!(end, "ing" | "ed"))
        })
    };
    matches!(end, "" | "s" | "es" | "d" | "ed" | "ing") || doubled(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(text: &str) -> Vec<(PromptRole, Vec<String>)> {
        let parts = analyze_prompt(text).parts.into_iter().flat_map(|part| part.roles);
        parts.map(|role| (role.role, role.words)).collect()
    }

    #[test]
    fn words_are_known_in_their_usual_forms_and_only_whole() {
        let action = |text: &str| roles(text).iter().any(|(role, _)| *role == PromptRole::Action);
        for text in
            ["she dances", "dancing", "he carries it", "running fast", "they waited", "Walks"]
        {
            assert!(action(text), "{text}");
        }
        for text in ["a brown carpet", "a grunge poster", "the king"] {
            assert!(!action(text), "{text}");
        }
        assert_eq!(roles("Golden Hour"), [(PromptRole::Setting, vec!["golden hour".to_owned()])]);
    }

    #[test]
    fn a_prompt_is_taken_apart_where_a_thought_ends() {
        let told = analyze_prompt("f/1.8 lens, at 3:2; Dr.Who waits!\n\n — ");
        let texts: Vec<&str> = told.parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(texts, ["f/1.8 lens", "at 3:2", "Dr.Who waits"]);
        assert_eq!(told.missing.len(), 3, "{told:?}");
        assert_eq!(analyze_prompt("").missing.len(), 5);
    }
}
