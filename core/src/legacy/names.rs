//! Old names and new: what callers of the system before have in their source text.

/// What an old name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OldKind {
    /// An address of the old interface.
    Endpoint,
    /// A package.
    Package,
    /// A function, a type or an option.
    Name,
    /// A field of a request or an answer.
    Field,
    /// A name of an event.
    Event,
    /// A request that is put together by hand.
    Request,
}

impl OldKind {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Package => "package",
            Self::Name => "name",
            Self::Field => "field",
            Self::Event => "event",
            Self::Request => "request",
        }
    }
}

/// An old name, and what stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldName {
    /// The name as it stands in source text.
    pub old: &'static str,
    /// What it is.
    pub kind: OldKind,
    /// What stands for it.
    pub new: &'static str,
    /// What to mind.
    pub note: &'static str,
}

/// Every old name that is looked for. A longer one stands before the one it begins with.
pub const OLD_NAMES: &[OldName] = &[
    row(
        "/api/v1/ws/jobs",
        OldKind::Endpoint,
        "/api/v1/ws/generations",
        "frames are events; a key is needed",
    ),
    row(
        "/api/v1/jobs",
        OldKind::Endpoint,
        "/api/v1/generations",
        "DELETE was cancel: POST …/cancel now",
    ),
    row(
        "@pixsim7/game-core",
        OldKind::Package,
        "onepath",
        "the npm package; the crate is onepath-core",
    ),
    row(
        "@pixsim7/types",
        OldKind::Package,
        "onepath",
        "the npm package; the crate is onepath-core",
    ),
    row("_clamp_rating", OldKind::Name, "RatingTrail", "or `onepath batch clamp`"),
    row(
        "_substitute_variables",
        OldKind::Name,
        "render_prompt",
        "values are never expanded; a missing variable is an error",
    ),
    row(
        "compute_hash",
        OldKind::Name,
        "fingerprint",
        "`onepath batch legacy-hash` computes the old hash",
    ),
    row(
        "compute_cache_key",
        OldKind::Name,
        "fingerprint",
        "its field `cache_key`; the form is another one",
    ),
    row("_canonicalize_params", OldKind::Name, "build", "the request itself is canonical"),
    row(
        "_validate_structured_params",
        OldKind::Name,
        "validate",
        "findings have codes and pointers",
    ),
    row("canonical_params", OldKind::Field, "request", "one type, GenerateContentRequest"),
    row(
        "reproducible_hash",
        OldKind::Field,
        "request_hash",
        "family_hash beside it: the same without the seed",
    ),
    row(
        "prompt_version_id",
        OldKind::Field,
        "template",
        "its member version_id; the old field is still read",
    ),
    row("prompt_config", OldKind::Field, "template", "the old field is still read"),
    row(
        "template_variables",
        OldKind::Field,
        "template",
        "its member variables; the old field is still read",
    ),
    row("job:created", OldKind::Event, "generation.created", ""),
    row("job:started", OldKind::Event, "generation.started", ""),
    row("job:completed", OldKind::Event, "generation.completed", ""),
    row("job:failed", OldKind::Event, "generation.failed", ""),
    row("job:cancelled", OldKind::Event, "generation.cancelled", ""),
];

const fn row(old: &'static str, kind: OldKind, new: &'static str, note: &'static str) -> OldName {
    OldName { old, kind, new, note }
}

/// Where requests are created.
const CREATE: &str = "/api/v1/generations";
/// What a text has that does not put its requests together by hand.
const BY_PATH: &[&str] = &[
    "buildGenerateContentRequest",
    "onepath/client",
    "onepath_client",
    "onepath_core",
    "onepath build",
    "onepath batch",
    "from 'onepath'",
    "from \"onepath\"",
];
/// How many lines around an address belong to a call.
const CALL: usize = 6;

/// A place in a text that still speaks to the system before.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OldUse {
    /// Line, from 1.
    pub line: usize,
    /// Column in Unicode scalar values, from 1.
    pub column: usize,
    /// What it is.
    pub kind: OldKind,
    /// What stands there.
    pub old: &'static str,
    /// What stands for it.
    pub new: &'static str,
    /// What to mind.
    pub note: &'static str,
}

/// Finds old names in a source text, in order, and creates whose request is put together by hand:
/// a POST to the address of creates in a text that names neither the builder nor a client of ours.
///
/// A name counts as a whole word. A line that holds `onepath-legacy: allow` is passed over.
///
/// ```
/// use onepath_core::legacy::find_old_names;
///
/// let found = find_old_names("await fetch('/api/v1/jobs', { method: 'POST' });\n");
/// assert_eq!((found[0].line, found[0].column, found[0].new), (1, 14, "/api/v1/generations"));
/// assert!(find_old_names("my_canonical_params_2").is_empty());
/// ```
#[must_use]
pub fn find_old_names(text: &str) -> Vec<OldUse> {
    let lines: Vec<&str> = text.lines().collect();
    let by_hand = !BY_PATH.iter().any(|name| text.contains(name));
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.contains("onepath-legacy: allow") {
            continue;
        }
        let mut found: Vec<(usize, OldName)> = Vec::new();
        for name in OLD_NAMES {
            for start in whole_words(line, name.old) {
                // A longer name was found there already.
                if !found
                    .iter()
                    .any(|(known, longer)| (*known..known + longer.old.len()).contains(&start))
                {
                    found.push((start, *name));
                }
            }
        }
        if by_hand && let Some(start) = create(line) {
            let from = at.saturating_sub(CALL);
            let near = lines.get(from..(at + CALL).min(lines.len())).unwrap_or_default();
            let posts = |line: &&str| {
                line.contains("POST") || line.contains(".post(") || line.contains("--data")
            };
            if near.iter().any(posts) {
                found.push((start, BY_HAND));
            }
        }
        found.sort_by_key(|(start, _)| *start);
        for (start, name) in found {
            let before = line.get(..start).unwrap_or("");
            out.push(OldUse {
                line: at + 1,
                column: before.chars().count() + 1,
                kind: name.kind,
                old: name.old,
                new: name.new,
                note: name.note,
            });
        }
    }
    out
}

const BY_HAND: OldName = row(
    CREATE,
    OldKind::Request,
    "buildGenerateContentRequest",
    "a request that is put together by hand; `config` with ids in place of it lets the server build",
);

/// Where a line names the address of creates, and none below it.
fn create(line: &str) -> Option<usize> {
    let start = line.find(CREATE)?;
    let rest = line.get(start + CREATE.len()..).unwrap_or("");
    // An address below it reads, cancels or retries.
    (!rest.starts_with(|next: char| is_word(next) || next == '/' || next == '?')).then_some(start)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Where a name stands as a whole word.
fn whole_words<'t>(line: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    line.match_indices(name).map(|(start, _)| start).filter(move |start| {
        let before = line.get(..*start).and_then(|before| before.chars().next_back());
        let after = line.get(start + name.len()..).and_then(|rest| rest.chars().next());
        let starts_word = name.starts_with(is_word);
        !(starts_word && before.is_some_and(is_word) || after.is_some_and(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::{OLD_NAMES, OldKind, find_old_names};

    fn kinds(text: &str) -> Vec<(OldKind, &'static str)> {
        find_old_names(text).into_iter().map(|found| (found.kind, found.old)).collect()
    }

    #[test]
    fn every_name_of_the_table_is_found_once_and_under_its_own_row() {
        for name in OLD_NAMES {
            let found = find_old_names(&format!("x = \"{}\"", name.old));
            assert_eq!(found.len(), 1, "{name:?}: {found:?}");
            assert_eq!((found[0].old, found[0].new, found[0].column), (name.old, name.new, 6));
        }
    }

    #[test]
    fn a_request_by_hand_is_found_and_one_by_the_builder_is_not() {
        let by_hand = "const answer = await fetch(`${server}/api/v1/generations`, {\n  method: 'POST',\n  body: JSON.stringify({ request }),\n});\n";
        assert_eq!(kinds(by_hand), [(OldKind::Request, "/api/v1/generations")]);
        let built = format!("import {{ buildGenerateContentRequest }} from 'onepath';\n{by_hand}");
        assert_eq!(kinds(&built), []);
        assert_eq!(kinds("fetch('/api/v1/generations/7')\n// POST\n"), []);
        assert_eq!(kinds("fetch('/api/v1/generations')\n"), []);
        assert_eq!(
            kinds("requests.post(server + \"/api/v1/generations\", json=body)"),
            [(OldKind::Request, "/api/v1/generations")]
        );
    }

    #[test]
    fn words_are_whole_and_lines_can_be_passed_over() {
        assert_eq!(kinds("my_canonical_params canonical_params2 /api/v1/jobsite"), []);
        assert_eq!(kinds("x.reproducible_hash // onepath-legacy: allow"), []);
        assert_eq!(kinds("/api/v1/jobs/7"), [(OldKind::Endpoint, "/api/v1/jobs")]);
        let found = find_old_names("ø a\nøø job:failed, job:started");
        let places: Vec<_> = found.iter().map(|found| (found.line, found.column)).collect();
        assert_eq!(places, [(2, 4), (2, 16)]);
    }
}
