//! The table of old names: every new name exists, and the page that lists them agrees.

use onepath_core::legacy::{OLD_NAMES, OldKind};

fn text(path: &str) -> String {
    std::fs::read_to_string(onepath_tests::root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether a text holds a name as a whole word.
fn holds(text: &str, name: &str) -> bool {
    let word = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}

#[test]
fn every_new_name_exists() {
    let routes = text("server-adapter/src/http/table.rs");
    let package = text("pkg/package.json");
    let crate_items = text("core/src/lib.rs");
    let functions = text("pkg/src/index.d.ts");
    let events = text("server-adapter/src/event/frame.rs");
    let envelope = text("schemas/create-generation-request.schema.json");
    let request = text("schemas/generate-content-request.schema.json");
    for name in OLD_NAMES {
        let exists = match name.kind {
            OldKind::Endpoint | OldKind::Request => routes.contains(&format!("\"{}\"", name.new)),
            OldKind::Package => package.contains(&format!("\"name\": \"{}\"", name.new)),
            OldKind::Name => holds(&crate_items, name.new) || holds(&functions, name.new),
            OldKind::Field => [&envelope, &request]
                .iter()
                .any(|schema| schema.contains(&format!("\"{}\"", name.new))),
            OldKind::Event => events.contains(&format!("(\"{}\", \"{}\")", name.new, name.old)),
        };
        assert!(exists, "{name:?}");
    }
}

#[test]
fn the_page_lists_every_old_name() {
    let page = text("docs/names.md");
    for name in OLD_NAMES {
        assert!(holds(&page, name.old), "docs/names.md does not tell of `{}`", name.old);
    }
}
