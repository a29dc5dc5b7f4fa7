//! Terms: words that a world, a provider or a tenant blocks or flags.

use crate::context::Terms;
use crate::unicode::lower;

/// The words of a text: lower case, split at everything that is neither letter nor digit.
pub(crate) fn words(text: &str) -> Vec<String> {
    lower(text)
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether the term's words stand in the text's words one after the other.
fn holds(text: &[String], term: &str) -> bool {
    let term = words(term);
    !term.is_empty() && text.windows(term.len()).any(|window| window == term)
}

/// The terms of one list, of every source, that a text holds; each once.
pub(crate) fn matches<'t>(
    text: &[String],
    sources: impl Iterator<Item = &'t Terms<'t>>,
    list: impl Fn(&'t Terms<'t>) -> Option<&'t [crate::decode::Text<'t>]>,
) -> Vec<&'t str> {
    let mut found: Vec<&str> = Vec::new();
    for term in sources.filter_map(list).flatten() {
        if !found.contains(&term.as_ref()) && holds(text, term) {
            found.push(term);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_match_whole_words_in_any_case() {
        let text = words("The RED-Door, über alles; scunthorpe");
        assert!(holds(&text, "red door"));
        assert!(holds(&text, "ÜBER"));
        assert!(!holds(&text, "oor"));
        assert!(!holds(&text, "door red"));
        assert!(!holds(&text, "--"));
    }
}
