//! Families of prompts, their versions, how their runs ended, and terms.

use onepath_core::Strategy;
use onepath_core::lifecycle::ErrorCode;

use super::super::prompts::{
    Added, NewVersion, PromptFamily, PromptUse, PromptVersion, Which, version_id,
};
use super::super::{NewGeneration, RunEnd, Store};
use super::fixture::{MINUTE, NOON, complete_all, create, reader, refuse_all, wanted_as};

fn family(tenant: &str, id: &str) -> PromptFamily {
    PromptFamily {
        tenant: tenant.to_owned(),
        id: id.to_owned(),
        name: Some("The quay".to_owned()),
        description: None,
        latest: 0,
        split: None,
        created_at: NOON,
        updated_at: NOON,
    }
}

fn version(tenant: &str, family: &str, text: &str) -> PromptVersion {
    PromptVersion {
        tenant: tenant.to_owned(),
        id: String::new(),
        family: family.to_owned(),
        number: 0,
        text: text.to_owned(),
        negative_text: Some("lettering".to_owned()),
        variables: r#"{"hour":{"type":"text"}}"#.to_owned(),
        author: "ada".to_owned(),
        notes: Some("why".to_owned()),
        parent: None,
        content_hash: format!("hash of {text}"),
        created_at: NOON,
    }
}

async fn make(store: &dyn Store, tenant: &str, id: &str, text: &str) -> PromptVersion {
    let new = NewVersion { version: version(tenant, id, text), family: Some(family(tenant, id)) };
    match store.add_version(new).await.unwrap() {
        Added::New(_, version) => version,
        other => panic!("{other:?}"),
    }
}

async fn add(store: &dyn Store, id: &str, text: &str, parent: Option<&str>) -> Added {
    let mut version = version("studio", id, text);
    version.parent = parent.map(str::to_owned);
    version.created_at = NOON + MINUTE;
    store.add_version(NewVersion { version, family: None }).await.unwrap()
}

pub(super) async fn versions_are_numbered_and_the_same_content_is_one_version(store: &dyn Store) {
    assert_eq!(add(store, "quay", "one", None).await, Added::NoFamily);
    let first = make(store, "studio", "quay", "one").await;
    assert_eq!((first.id.as_str(), first.number), ("quay@1", 1));
    let second = match add(store, "quay", "two", Some("quay@1")).await {
        Added::New(family, version) => {
            assert_eq!((family.latest, family.updated_at), (2, NOON + MINUTE));
            version
        }
        other => panic!("{other:?}"),
    };
    let mut expected = version("studio", "quay", "two");
    (expected.id, expected.number) = (version_id("quay", 2), 2);
    (expected.parent, expected.created_at) = (Some("quay@1".to_owned()), NOON + MINUTE);
    assert_eq!(second, expected);
    match add(store, "quay", "one", None).await {
        Added::Same(family, version) => assert_eq!((family.latest, version), (2, first.clone())),
        other => panic!("{other:?}"),
    }
    assert_eq!(add(store, "quay", "three", Some("pier@1")).await, Added::NoParent);
    let again = |text| NewVersion {
        version: version("studio", "quay", text),
        family: Some(family("studio", "quay")),
    };
    assert_eq!(store.add_version(again("other")).await.unwrap(), Added::Taken);
    assert!(matches!(store.add_version(again("two")).await.unwrap(), Added::Same(..)));
    let mut orphan = again("of nobody");
    (orphan.version.family, orphan.version.parent) = ("pier".to_owned(), Some("quay@1".to_owned()));
    orphan.family = Some(family("studio", "pier"));
    assert_eq!(store.add_version(orphan).await.unwrap(), Added::NoParent);
    assert_eq!(store.prompt("studio", "pier", Which::Latest).await.unwrap(), None);
    // The same words in another family are a version of that one.
    let other = make(store, "studio", "pier", "one").await;
    let same = store.prompts_with("studio", &first.content_hash).await.unwrap();
    assert_eq!(same, [other, first]);
}

pub(super) async fn prompts_are_read_as_latest_or_pinned_and_never_across_tenants(
    store: &dyn Store,
) {
    make(store, "studio", "quay", "one").await;
    add(store, "quay", "two", None).await;
    add(store, "quay", "three", None).await;
    make(store, "studio", "attic", "one").await;
    make(store, "other", "quay", "theirs").await;
    let read = async |tenant: &str, which: Which<'_>| {
        let found = store.prompt(tenant, "quay", which).await.unwrap();
        found.map(|(family, version)| (family.latest, version.text))
    };
    assert_eq!(read("studio", Which::Latest).await, Some((3, "three".to_owned())));
    assert_eq!(read("studio", Which::Number(1)).await, Some((3, "one".to_owned())));
    assert_eq!(read("studio", Which::Id("quay@2")).await, Some((3, "two".to_owned())));
    assert_eq!(read("other", Which::Latest).await, Some((1, "theirs".to_owned())));
    assert_eq!(read("studio", Which::Number(4)).await, None);
    assert_eq!(read("studio", Which::Id("attic@1")).await, None);
    assert_eq!(read("nobody", Which::Latest).await, None);
    let by_id = store.prompt_version("studio", "attic@1").await.unwrap().unwrap();
    assert_eq!((by_id.family.as_str(), by_id.author.as_str()), ("attic", "ada"));
    assert_eq!(store.prompt_version("other", "attic@1").await.unwrap(), None);
    let numbers = async |before, limit| {
        let page = store.versions("studio", "quay", before, limit).await.unwrap();
        page.iter().map(|version| version.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(i64::MAX, 2).await, [3, 2]);
    assert_eq!(numbers(2, 2).await, [1]);
    assert_eq!(store.versions("nobody", "quay", i64::MAX, 9).await.unwrap(), []);
    let names = async |tenant: &str, after: &str, limit| {
        let page = store.families(tenant, after, limit).await.unwrap();
        page.into_iter().map(|(family, latest)| (family.id, latest.text)).collect::<Vec<_>>()
    };
    let (attic, quay) =
        (("attic".to_owned(), "one".to_owned()), ("quay".to_owned(), "three".to_owned()));
    assert_eq!(names("studio", "", 9).await, [attic.clone(), quay.clone()]);
    assert_eq!(names("studio", "", 1).await, [attic]);
    assert_eq!(names("studio", "attic", 9).await, [quay]);
    assert_eq!(names("nobody", "", 9).await, []);

    let mut changed = family("studio", "quay");
    (changed.name, changed.split) = (None, Some(r#"{"arms":[]}"#.to_owned()));
    (changed.latest, changed.created_at, changed.updated_at) = (77, 0, NOON + 2 * MINUTE);
    assert!(store.put_family(changed.clone()).await.unwrap());
    let kept = store.prompt("studio", "quay", Which::Latest).await.unwrap().unwrap().0;
    assert_eq!(kept, PromptFamily { latest: 3, created_at: NOON, ..changed });
    assert!(!store.put_family(family("nobody", "quay")).await.unwrap());
}

/// A wish of its own whose prompt came from a version.
fn of_version(what: &str, tenant: &str, version: &str) -> NewGeneration {
    let mut owner = reader("ada");
    owner.tenant = tenant.to_owned();
    let mut new = wanted_as(Strategy::Always, what, &owner, NOON);
    new.asked.request = format!(
        r#"{{"type":"text_to_image","purpose":"ambient","strategy":"always","prompt":"{what}",
            "template":{{"id":"quay","version_id":"{version}"}}}}"#
    );
    new
}

pub(super) async fn runs_are_counted_for_the_version_they_name(store: &dyn Store) {
    make(store, "studio", "quay", "one").await;
    add(store, "quay", "two", None).await;
    make(store, "other", "quay", "theirs").await;
    for (what, tenant, version) in [
        ("a", "studio", "quay@1"),
        ("b", "studio", "quay@1"),
        ("c", "studio", "quay@2"),
        ("d", "studio", "never"),
        ("e", "other", "quay@1"),
    ] {
        create(store, &of_version(what, tenant, version)).await;
    }
    complete_all(store, NOON).await;
    let later = NOON + MINUTE;
    let mut refused = of_version("f", "studio", "quay@2");
    refused.now = later;
    create(store, &refused).await;
    refuse_all(store, ErrorCode::ContentPromptRejected, later).await;
    let line = |version: &str, end, error, runs, micros| PromptUse {
        version: version.to_owned(),
        end,
        error,
        runs,
        micros,
    };
    let rejected = line("quay@2", RunEnd::Failed, Some(ErrorCode::ContentPromptRejected), 1, 0);
    assert_eq!(
        store.prompt_uses("studio", "quay", 0).await.unwrap(),
        [
            line("quay@1", RunEnd::Completed, None, 2, 3_000),
            line("quay@2", RunEnd::Completed, None, 1, 1_500),
            rejected.clone(),
        ]
    );
    assert_eq!(store.prompt_uses("studio", "quay", later).await.unwrap(), [rejected]);
    let theirs = store.prompt_uses("other", "quay", 0).await.unwrap();
    assert_eq!(theirs, [line("quay@1", RunEnd::Completed, None, 1, 1_500)]);
    assert_eq!(store.prompt_uses("nobody", "quay", 0).await.unwrap(), []);
    // Telemetry forgets; what a version came to stays.
    store.forget_runs(i64::MAX).await.unwrap();
    assert_eq!(store.prompt_uses("studio", "quay", 0).await.unwrap().len(), 3);
}

pub(super) async fn terms_are_the_tenants_own(store: &dyn Store) {
    assert_eq!(store.terms("studio").await.unwrap(), None);
    for terms in [r#"{"blocked":["a"]}"#, r#"{"flagged":["b"]}"#] {
        store.put_terms("studio", Some(terms.to_owned()), NOON).await.unwrap();
        assert_eq!(store.terms("studio").await.unwrap().as_deref(), Some(terms));
    }
    assert_eq!(store.terms("other").await.unwrap(), None);
    store.put_terms("studio", None, NOON).await.unwrap();
    assert_eq!(store.terms("studio").await.unwrap(), None);
}
