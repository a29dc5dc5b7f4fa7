//! What must hold for any text.
//!
//! The fuzz targets try these checks with random texts, and a test replays `corpus/` through the
//! same checks. Each check takes one text and panics where something does not hold.

use onepath_core::{
    BatchOp, BuildOptions, CacheKeyParts, Code, Decode, Document, DocumentKind, Finding,
    Fingerprint, GenerateContentRequest, GenerationNode, GenerationNodeConfig, GenerationType, Map,
    NodeItem, OwnBounds, Purpose, Rating, SceneFile, Scope, Severity, Strategy, Value,
    canonical_value, canonicalize, document_kind, estimate_price, explain, fingerprint, limits,
    list_items, locate, parse_cache_key, read_document, rebound, render_prompt,
};
use serde_json::Value as Json;

// ---------------------------------------------------------------------------------------------
// What another reader says

/// What `serde_json` says about a text.
enum Oracle {
    /// It is JSON.
    Accepts(Json),
    /// It is not.
    Rejects,
    /// It may be: broken off at half of a surrogate pair, a number or a depth that it does not
    /// hold.
    Unknown,
}

fn oracle(text: &str) -> Oracle {
    match serde_json::from_str(text) {
        Ok(value) => Oracle::Accepts(value),
        Err(error) => {
            let message = error.to_string();
            let unclear = ["out of range", "recursion limit", "surrogate", "hex escape"];
            if unclear.iter().any(|part| message.contains(part)) {
                Oracle::Unknown
            } else {
                Oracle::Rejects
            }
        }
    }
}

fn has(findings: &[Finding], code: Code) -> bool {
    findings.iter().any(|finding| finding.code() == code)
}

/// Whether reading said everything there is to say: nothing was left out because the text is too
/// deep or has too many faults.
fn told_all(findings: &[Finding]) -> bool {
    !has(findings, Code::JsonTooLarge) && findings.len() < limits::FAULTS
}

/// Reader and oracle agree about what is JSON.
fn agree_on_syntax(text: &str, faults: &[Finding]) {
    let broken = has(faults, Code::JsonSyntax);
    match oracle(text) {
        Oracle::Accepts(_) => {
            assert!(!broken, "json/syntax, but it is JSON: {faults:?}");
            assert!(!has(faults, Code::JsonLoneSurrogate), "a pair is whole: {faults:?}");
        }
        Oracle::Rejects => assert!(broken || !told_all(faults), "this is not JSON: {faults:?}"),
        Oracle::Unknown => {}
    }
}

// ---------------------------------------------------------------------------------------------
// Findings

/// A finding has a pointer into the text as the text spells it, a span on characters, and a
/// message without gaps.
fn well_formed(text: &str, finding: &Finding) {
    let pointer = finding.pointer();
    assert!(pointer.is_empty() || pointer.starts_with('/'), "{finding:?}");
    let escapes = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    assert!(escapes, "{finding:?}");
    let located = locate(text, pointer);
    assert_eq!(located.pointer, pointer, "{finding:?} is spelled otherwise in the text");
    assert!(text.get(located.value.clone()).is_some(), "{located:?}");
    assert!(located.key.clone().is_none_or(|key| text.get(key).is_some()), "{located:?}");
    if let Some(span) = finding.span() {
        assert!(text.get(span).is_some(), "{finding:?}");
    }
    assert!(!finding.message().is_empty());
    // `{0}` and `{1}` stand in a message only if the text holds them, or a character shown so.
    let shown = format!("{} {}", finding.message(), finding.help().unwrap_or_default());
    let filled = |gap: &str| text.contains(gap) || !shown.replace("\\u{", "").contains(gap);
    assert!(filled("{0}") && filled("{1}") && filled("{2}"), "{shown}");
}

/// Faults of reading stand where they say.
fn faults_are_placed(text: &str, faults: &[Finding]) {
    for fault in faults {
        well_formed(text, fault);
        assert!(fault.code().refuses_build(), "{fault:?}");
    }
    let starts: Vec<usize> =
        faults.iter().filter_map(|fault| fault.span().map(|span| span.start)).collect();
    assert!(starts.is_sorted(), "faults stand in document order: {faults:?}");
    // A pointer names one place only where names are whole and stand once.
    let ambiguous =
        [Code::JsonSyntax, Code::JsonTooLarge, Code::JsonDuplicateKey, Code::JsonLoneSurrogate];
    if ambiguous.iter().any(|code| has(faults, *code)) {
        return;
    }
    for fault in faults {
        let located = locate(text, fault.pointer());
        if located.found {
            if let Some(span) = fault.span() {
                let key = located.key.as_ref().map(|key| key.start);
                let value = located.value.start;
                assert!(span.start == value || Some(span.start) == key, "{fault:?} {located:?}");
            }
        } else {
            // Something absent: its object is there.
            let (object, _) = fault.pointer().rsplit_once('/').unwrap_or_default();
            assert!(fault.span().is_none() && locate(text, object).found, "{fault:?}");
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Decoding

/// Texts whose printing may pass a limit that they keep themselves: numbers and old fields may
/// take more room or one more level when they are printed.
fn near_a_limit(text: &str) -> bool {
    text.len() > 16_384 || text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count() > 56
}

fn reads<'a, T>(text: &'a str)
where
    T: Decode<'a> + ReadsBack,
{
    let read = onepath_core::decode::<T>(text);
    agree_on_syntax(text, &read.faults);
    faults_are_placed(text, &read.faults);
    let canonical = canonicalize(text);
    if read.faults.is_empty() {
        let Some(value) = &read.value else { panic!("no value and no fault") };
        if let Err(refusal) = &canonical
            && !near_a_limit(text)
        {
            // What nobody reads may hold any number.
            let only = refusal.findings().iter().all(|one| one.code() == Code::JsonNumberRange);
            assert!(only, "read without a fault, and yet: {refusal:?}");
        }
        value.reads_back_from(text);
    } else {
        if has(&read.faults, Code::JsonSyntax) {
            assert!(read.value.is_none());
        }
        let sure = told_all(&read.faults) && !has(&read.faults, Code::JsonSyntax);
        if sure && has(&read.faults, Code::JsonDuplicateKey) {
            let refused = canonical.is_err_and(|why| has(why.findings(), Code::JsonDuplicateKey));
            assert!(refused, "no member stands twice: {:?}", read.faults);
        }
    }
}

/// A value whose printing reads back as the same value.
trait ReadsBack {
    fn reads_back(&self);

    /// The same for what was made of a text.
    fn reads_back_from(&self, text: &str) {
        if !near_a_limit(text) {
            self.reads_back();
        }
    }
}

macro_rules! reads_back {
    ($($name:ident)*) => {$(
        impl ReadsBack for $name<'_> {
            fn reads_back(&self) {
                let printed = serde_json::to_string(self).unwrap();
                let again = onepath_core::decode::<$name<'_>>(&printed);
                assert_eq!(again.faults, [], "{printed}");
                assert_eq!(again.value.as_ref(), Some(self), "{printed}");
            }
        }
    )*};
}

reads_back! { GenerationNodeConfig BuildOptions GenerateContentRequest GenerationNode SceneFile }

/// Reading any text as each of the documents.
pub(crate) fn decode(text: &str) {
    let located = locate(text, text);
    assert!(
        text.get(located.value).is_some() && located.key.is_none_or(|key| text.get(key).is_some())
    );
    reads::<GenerationNodeConfig<'_>>(text);
    reads::<BuildOptions<'_>>(text);
    reads::<GenerateContentRequest<'_>>(text);
    reads::<GenerationNode<'_>>(text);
    reads::<SceneFile<'_>>(text);
}

// ---------------------------------------------------------------------------------------------
// Canonical text

/// A JSON text with every number as `#`, and the numbers in their order.
fn without_numbers(text: &str) -> (String, Vec<f64>) {
    let (mut shape, mut numbers) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => {
                let mut escaped = false;
                let end = rest.char_indices().skip(1).find(|(_, character)| {
                    let ends = *character == '"' && !escaped;
                    escaped = *character == '\\' && !escaped;
                    ends
                });
                end.map_or(rest.len(), |(at, _)| at + 1)
            }
            '-' | '0'..='9' => {
                let digits =
                    |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
                let end = rest.find(|character| !digits(character)).unwrap_or(rest.len());
                numbers.push(rest[..end].parse::<f64>().unwrap());
                shape.push('#');
                rest = &rest[end..];
                continue;
            }
            other => other.len_utf8(),
        };
        shape.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    (shape, numbers)
}

/// The same of a value, with the members in the order of RFC 8785.
fn expected_shape(value: &Json, shape: &mut String, numbers: &mut Vec<f64>) {
    match value {
        Json::Number(number) => {
            shape.push('#');
            numbers.push(number.as_f64().unwrap());
        }
        Json::Array(items) => {
            shape.push('[');
            for (index, item) in items.iter().enumerate() {
                shape.push_str(if index == 0 { "" } else { "," });
                expected_shape(item, shape, numbers);
            }
            shape.push(']');
        }
        Json::Object(members) => {
            let mut members: Vec<(&String, &Json)> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
            shape.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                shape.push_str(if index == 0 { "" } else { "," });
                shape.push_str(&serde_json::to_string(name).unwrap());
                shape.push(':');
                expected_shape(value, shape, numbers);
            }
            shape.push('}');
        }
        other => shape.push_str(&other.to_string()),
    }
}

/// Canonical text of any text: a fixed point that says the same, in the order of RFC 8785.
pub(crate) fn canonical(text: &str) {
    match canonicalize(text) {
        Ok(canonical) => {
            assert_eq!(canonicalize(&canonical).as_deref(), Ok(&*canonical));
            let (shape, numbers) = without_numbers(&canonical);
            // Every number is the nearest double of one in the text; -0 is 0.
            let bits = |numbers: &[f64]| {
                let mut bits: Vec<u64> = numbers.iter().map(|one| (one + 0.0).to_bits()).collect();
                bits.sort_unstable();
                bits
            };
            assert_eq!(bits(&without_numbers(text).1), bits(&numbers), "{canonical}");
            match oracle(text) {
                Oracle::Accepts(value) => {
                    let (mut wanted, mut wanted_numbers) = (String::new(), Vec::new());
                    expected_shape(&value, &mut wanted, &mut wanted_numbers);
                    assert_eq!(shape, wanted);
                    for (one, other) in numbers.iter().zip(wanted_numbers) {
                        // The oracle does not round every number to the nearest double.
                        let close = one.abs() * 1e-14 + 1e-318;
                        assert!((one - other).abs() <= close, "{one:e} {other:e}");
                    }
                }
                Oracle::Rejects => panic!("this is not JSON, but it has the text {canonical}"),
                Oracle::Unknown => {}
            }
        }
        Err(refusal) => {
            assert!(!refusal.findings().is_empty());
            faults_are_placed(text, refusal.findings());
            agree_on_syntax(text, refusal.findings());
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Cache keys

/// A text is no key, or exactly the key of its parts; and ids of any text make a key that gives
/// them back.
pub(crate) fn key(text: &str) {
    if let Ok(parts) = parse_cache_key(text) {
        assert_eq!(parts.to_string(), text);
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(text.matches('|').count(), 7);
        assert_eq!(parse_cache_key(&parts.to_string()).as_ref(), Ok(&parts));
        // One text a tuple: no other spelling of it is taken.
        for other in [text.to_uppercase(), format!("{text} "), text.replace("|v", "|v0")] {
            assert!(other == text || parse_cache_key(&other).is_err(), "{other}");
        }
    }
    let mut ids = text.split('\n').map(str::to_owned);
    let mut scene = || ids.next().filter(|id| !id.is_empty());
    let (from_scene, to_scene, who) = (scene(), scene(), scene());
    let (strategy, scope) = match who {
        None => (Strategy::Once, Scope::Everyone),
        Some(id) if text.len().is_multiple_of(2) => (Strategy::PerPlayer, Scope::Player(id)),
        Some(id) => (Strategy::PerPlaythrough, Scope::Playthrough(id)),
    };
    let parts = CacheKeyParts {
        generation_type: GenerationType::Dialogue,
        purpose: Purpose::Adaptive,
        from_scene,
        to_scene,
        strategy,
        scope,
        version: i64::try_from(text.len()).unwrap() + 1,
        tail: "1d23ac99a46a52514339911177021f55".to_owned(),
    };
    let key = parts.to_string();
    assert_eq!(parse_cache_key(&key).as_ref(), Ok(&parts), "{key}");
}

// ---------------------------------------------------------------------------------------------
// Prompts

/// The text that a value has in a prompt.
fn value_text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Number(_) | Value::Bool(_) => Some(canonical_value(value)),
        _ => None,
    }
}

/// Rendering: one pass, and values are data. The first character of the text ends the template;
/// what follows are the variables.
pub(crate) fn prompt(text: &str) {
    const FIRST_MARK: u32 = 0xf_0000;
    let mut characters = text.chars();
    let Some(end) = characters.next() else { return };
    let rest = characters.as_str();
    let (template, variables) = rest.split_once(end).unwrap_or((rest, "{}"));
    let variables = onepath_core::decode::<Map<'_>>(variables).into_result().unwrap_or_default();
    let rendered = render_prompt(template, &variables);
    assert_eq!(rendered, render_prompt(template, &variables));

    if !template.contains("{{") {
        assert_eq!(rendered.as_deref(), Ok(template));
    }
    let escaped = template.replace("{{", "{{{{");
    assert_eq!(render_prompt(&escaped, &variables).as_deref(), Ok(template));
    if let Ok(plain) = render_prompt(template, &Map::new()) {
        assert_eq!(plain, template.replace("{{{{", "{{"), "only doubled braces need no value");
        assert_eq!(rendered.as_ref(), Ok(&plain));
    }
    if let Err(refusal) = &rendered {
        let ours =
            [Code::PromptUnknownVariable, Code::PromptBadPlaceholder, Code::PromptVariableType];
        assert!(!refusal.findings().is_empty());
        for finding in refusal.findings() {
            assert!(ours.contains(&finding.code()) && finding.pointer() == "/template");
        }
    }

    // The same with each value a mark: putting the values in place of the marks must give the
    // same text, so no value was looked into.
    let mark = |index: usize| char::from_u32(FIRST_MARK + u32::try_from(index).unwrap()).unwrap();
    if template.chars().any(|character| u32::from(character) >= FIRST_MARK) {
        return;
    }
    let mut marks = Map::new();
    for (index, (name, _)) in variables.iter().enumerate() {
        marks.insert(name.to_owned(), mark(index).to_string());
    }
    match (rendered, render_prompt(template, &marks)) {
        (Ok(rendered), Ok(marked)) => {
            let mut expected = String::new();
            for character in marked.chars() {
                match u32::from(character).checked_sub(FIRST_MARK) {
                    Some(index) => {
                        let (_, value) = variables.iter().nth(index as usize).unwrap();
                        expected.push_str(&value_text(value).unwrap());
                    }
                    None => expected.push(character),
                }
            }
            assert_eq!(rendered, expected);
        }
        (Err(refusal), marked) => {
            let mut others = refusal.into_findings();
            others.retain(|finding| finding.code() != Code::PromptVariableType);
            let marked = marked.map_or_else(|refusal| refusal.into_findings(), |_| Vec::new());
            assert_eq!(others, marked);
        }
        (Ok(_), Err(refusal)) => panic!("a mark is a text like any other: {refusal:?}"),
    }
}

// ---------------------------------------------------------------------------------------------
// Documents

/// A context in which most things that a config asks for are there.
const CONTEXT: &str = r#"{
    "providerId": "local", "now": 1700000000000,
    "session": {"id": "p-1", "user_id": "u-1", "stats": {"relationships": {"npc:1": {"affinity": 65, "trust": 45, "chemistry": 70, "levelId": "light_flirt"}}}},
    "world": {"meta": {"generation": {"maxContentRating": "mature_implied", "terms": {"blocked": ["red door"], "flagged": ["gull"]}}}},
    "user": {"id": "u-1", "maxContentRating": "mature_implied"},
    "npcIds": ["1"], "npcs": [{"id": "1", "name": "Mira", "baseImage": "asset:mira"}],
    "fromScene": {"id": "a", "mood": "calm"}, "toSceneId": "b",
    "templates": {"t": {"versionId": "t1", "text": "a {{ thing }}", "negativeText": "{{n}}", "variables": {"thing": "boat", "n": 1.5}}}
}"#;

/// Checking and preparing any document.
pub(crate) fn scene(text: &str) {
    let base = BuildOptions::default();
    let full = onepath_core::decode::<BuildOptions<'_>>(CONTEXT).into_result().unwrap();
    for base in [&base, &full] {
        let report = onepath_core::check(text, base);
        assert_eq!(report, onepath_core::check(text, base));
        for finding in report.findings() {
            well_formed(text, finding);
        }
        let document = read_document(text, base);
        assert!(report.findings().starts_with(&document.findings));
        let (faults, rules) = report.findings().split_at(document.findings.len());
        rules_pass_over(faults, rules);
        let places = places(text);
        for (index, item) in document.items.iter().enumerate() {
            prepares(text, &document, item, places.get(index).map(String::as_str));
        }
        for other in written_differently(text) {
            assert_eq!(verdict(text, base), verdict(&other, base), "{other}");
        }
    }
    if document_kind(text) == DocumentKind::List {
        let items = list_items(text);
        assert!(items.is_sorted_by_key(|item| item.start));
        for item in items {
            // Reading one item of the list finds what is wrong with it.
            let item = text.get(item).unwrap();
            let report = onepath_core::check(item, &base);
            report.findings().iter().for_each(|finding| well_formed(item, finding));
        }
    }
}

/// What could not be read is neither present nor absent: no rule speaks about it.
fn rules_pass_over(faults: &[Finding], rules: &[Finding]) {
    let below = |base: &str, pointer: &str| {
        pointer.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // Where a list of nodes stands twice, the first one was read.
    let of_reading = |fault: &&Finding| {
        !matches!(fault.code(), Code::NodeDuplicateId | Code::SceneUnknown)
            && !["/nodes", "/edges"].contains(&fault.pointer())
    };
    for fault in faults.iter().filter(of_reading) {
        for rule in rules {
            let (fault_at, rule_at) = (snake(fault.pointer()), snake(rule.pointer()));
            let related = below(&fault_at, &rule_at) || below(&rule_at, &fault_at);
            assert!(!related, "{rule:?} in spite of {fault:?}");
        }
    }
}

/// A name or a pointer in its second spelling.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

/// The same document with its members in another order, and with its fields in their second
/// spelling.
fn written_differently(text: &str) -> Vec<String> {
    let Ok(canonical) = canonicalize(text) else { return Vec::new() };
    let mut out = Vec::new();
    if let Ok(mut value) = serde_json::from_str(&canonical) {
        let (mut shape, mut numbers) = (String::new(), Vec::new());
        expected_shape(&value, &mut shape, &mut numbers);
        // Only where the oracle reads every number as we do.
        if numbers == without_numbers(&canonical).1
            && respell(&mut value, Names::Document).is_some()
        {
            out.push(value.to_string());
        }
    }
    out.push(canonical);
    out
}

/// What the names of an object are.
#[derive(Clone, Copy)]
enum Names {
    /// Fields of a scene file, a node, a config or options; some hold objects with fields.
    Document,
    /// Fields.
    Fields,
    /// The fields of a style beside names of providers.
    Style,
    /// Free names of objects with fields.
    ObjectsWithFields,
    /// Free names.
    Free,
}

impl Names {
    /// What the names of a member's value are.
    fn below(self, name: &str) -> Self {
        match (self, name) {
            (Self::Document, "config" | "options" | "nodes" | "edges" | "meta" | "rules") => {
                Self::Document
            }
            (
                Self::Document,
                "fallback"
                | "constraints"
                | "social_context"
                | "session"
                | "user"
                | "provider"
                | "social_context_config"
                | "player_context"
                | "scenes"
                | "npcs"
                | "from_scene"
                | "to_scene",
            )
            | (Self::Fields, "relationship_values")
            | (Self::ObjectsWithFields, _) => Self::Fields,
            (Self::Document, "style") => Self::Style,
            (Self::Document, "templates") => Self::ObjectsWithFields,
            _ => Self::Free,
        }
    }

    /// The second spelling of a name, if it can be a field.
    fn second_spelling(self, name: &str) -> Option<String> {
        let may_be_field = match self {
            Self::Document | Self::Fields => !name.contains('_'),
            Self::Style => ["moodFrom", "moodTo", "transitionType"].contains(&name),
            Self::ObjectsWithFields | Self::Free => false,
        };
        may_be_field.then(|| snake(name))
    }
}

/// Gives the fields of a document their second spelling; `None` if one stands there in both.
fn respell(value: &mut Json, names: Names) -> Option<()> {
    match value {
        Json::Array(items) => items.iter_mut().try_for_each(|item| respell(item, names)),
        Json::Object(members) => {
            let before = members.len();
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    let name = names.second_spelling(&name).unwrap_or(name);
                    respell(&mut value, names.below(&name))?;
                    Some((name, value))
                })
                .collect::<Option<_>>()?;
            (members.len() == before).then_some(())
        }
        _ => Some(()),
    }
}

/// What is found in a document and what is made of it, however it is written.
fn verdict(text: &str, base: &BuildOptions<'_>) -> (Vec<(&'static str, String)>, Vec<String>) {
    let told = |finding: &Finding| (finding.code().slug(), snake(finding.pointer()));
    let mut found: Vec<_> = onepath_core::check(text, base).findings().iter().map(told).collect();
    found.sort_unstable();
    let document = read_document(text, base);
    let print = |item: &NodeItem<'_>| match document.prepare(item).made {
        Some((_, print)) => serde_json::to_string(&print).unwrap(),
        None => String::new(),
    };
    let prints = document.items.iter().map(print).collect();
    (found, prints)
}

/// Where each node of a document stands; edges come after the nodes.
fn places(text: &str) -> Vec<String> {
    match document_kind(text) {
        DocumentKind::Scene => {
            let read = onepath_core::decode::<SceneFile<'_>>(text).value.unwrap_or_default();
            let nodes = read.nodes.iter().flat_map(|nodes| nodes.iter());
            nodes.map(|(index, _)| format!("/nodes/{index}")).collect()
        }
        _ => vec![String::new()],
    }
}

/// Whether a fault lies in what the request of a node is made of: everything but the other nodes
/// of its file and the edges.
fn is_read_by(pointer: &str, place: &str) -> bool {
    let below = |base: &str| {
        pointer.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    pointer == "/nodes" || below(place) || !(below("/nodes") || below("/edges"))
}

fn prepares(text: &str, document: &Document<'_>, item: &NodeItem<'_>, place: Option<&str>) {
    let prepared = document.prepare(item);
    assert_eq!(prepared, document.prepare(item));
    let findings = prepared.report.findings();
    findings.iter().for_each(|finding| well_formed(text, finding));
    if document.findings.is_empty() {
        // The same as each step for itself.
        item.config.reads_back_from(text);
        item.options.reads_back_from(text);
        match (onepath_core::build(&item.config, &item.options), &prepared.made) {
            (Ok(request), Some((made, _))) => assert_eq!(&request, made),
            (Err(refusal), None) => {
                assert!(!refusal.findings().is_empty());
                assert!(refusal.findings().iter().all(|one| one.code().refuses_build()));
            }
            (built, made) => panic!("{built:?} and {made:?}"),
        }
    }
    let Some((request, print)) = &prepared.made else {
        let reason = findings.iter().any(|finding| finding.severity() == Severity::Error);
        assert!(reason, "nothing is made and nothing says why: {findings:?}");
        return;
    };
    assert!(!findings.iter().any(|finding| finding.code().refuses_build()), "{findings:?}");
    if let Some(place) = place {
        let fault = document
            .findings
            .iter()
            .find(|finding| finding.code().refuses_build() && is_read_by(finding.pointer(), place));
        assert!(fault.is_none(), "made in spite of {fault:?}");
    }
    let provider = item.options.provider.as_ref();
    let provider = provider.filter(|info| request.provider_id.as_ref() == Some(&info.id));
    request.reads_back_from(text);
    made(request, print);
    assert_eq!(fingerprint(request, provider).as_ref(), Ok(print));
    let estimate = estimate_price(request, None);
    assert_eq!(estimate.known, estimate.micros.is_some() || estimate.credits.is_some());
    assert_eq!(explain(request, request, [provider, provider]), []);

    let same = rebound(request, OwnBounds::default(), provider);
    assert!(!same.lowered, "bounds that bound nothing lowered something");
    let sfw = OwnBounds { world: Some(Rating::Sfw), user: None, reduce_intensity: true };
    let lowest = rebound(request, sfw, provider);
    let after = fingerprint(&lowest.request, provider).unwrap();
    assert_eq!(after.rating.effective, Rating::Sfw);
    assert_eq!(rebound(&lowest.request, sfw, provider).request, lowest.request);
}

/// What a request and its fingerprint say of each other.
fn made(request: &GenerateContentRequest<'_>, print: &Fingerprint) {
    assert!(print.rating.effective <= print.rating.asked);
    assert!(print.band.effective <= print.band.asked.min(print.rating.effective.allowed_band()));
    assert_eq!(print.pending.is_empty(), print.hashes.is_some());
    assert_eq!(print.hashes.is_some(), print.canonical().is_some());
    if let Some(canonical) = print.canonical() {
        assert_eq!(canonicalize(canonical).as_deref(), Ok(canonical));
    }
    if let Some(key) = &print.cache_key {
        let parts = parse_cache_key(key).unwrap();
        assert_eq!(&parts.to_string(), key);
        assert_eq!(parts.strategy, request.strategy);
        let id = |scene: &Option<onepath_core::SceneRef<'_>>| {
            scene.as_ref().map(|scene| scene.id.to_string())
        };
        assert_eq!(parts.from_scene, id(&request.from_scene));
        assert_eq!(parts.to_scene, id(&request.to_scene));
    } else {
        assert!(print.hashes.is_none() || request.strategy == Strategy::Always);
    }
}

// ---------------------------------------------------------------------------------------------
// Batch lines

/// One line in, one line out, whatever the line holds.
pub(crate) fn batch(text: &str) {
    let answer = |op: BatchOp| -> Json {
        let answer = onepath_core::batch(op, text);
        assert!(!answer.contains(['\n', '\r']), "{answer}");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    };
    for (_, op) in BatchOp::ALL {
        if *op == BatchOp::Canon {
            // Its answer may be any JSON, and any number.
            let refused = onepath_core::batch(*op, text).starts_with(r#"{"error":{"message":"#);
            assert!(refused || canonicalize(text).is_ok());
            continue;
        }
        if let Some(error) = answer(*op).get("error") {
            let findings = error["findings"].as_array().unwrap();
            assert!(!findings.is_empty(), "{op:?} refuses and does not say why");
            assert_eq!(error["message"], findings[0]["message"]);
            for finding in findings {
                let pointer = finding["pointer"].as_str().unwrap();
                assert_eq!(locate(text, pointer).pointer, pointer, "{op:?}: {finding}");
            }
        }
    }
    assert_eq!(
        onepath_core::legacy::legacy_hash(text).is_ok(),
        canonicalize(text).is_ok(),
        "what has a hash of 2025 has a canonical text"
    );
    let (build, print) = (answer(BatchOp::Build), answer(BatchOp::Fingerprint));
    assert_eq!(build.get("error"), print.get("error"));
    if build.get("error").is_none() && !near_a_limit(text) {
        let request = build.to_string();
        let read = onepath_core::decode::<GenerateContentRequest<'_>>(&request);
        assert_eq!(read.faults, []);
    }
}
