//! Families of prompts, their versions, and terms.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LINK;
use schemars::{Schema, SchemaGenerator};

use super::App;
use super::body::{JsonText, read};
use super::meta::query_pairs;
use super::path::Name;
use super::reply::{Reply, json, set};
use super::table::{
    Gives, OK, Parameter, Route, of, route_get, route_patch, route_post, route_put, time,
    whole_1_to_200,
};
use crate::clock::parse_rfc3339;
use crate::problem::{Fault, Problem, ProblemCode};
use crate::service::{
    AnalyzeBody, AnalyzeResponse, Caller, FamilyPatch, NewFamily, NewPromptVersion, PromptDiff,
    PromptFamilyList, PromptFamilyView, PromptUsage, PromptVersionList, PromptVersionView,
    RenderBody, RenderResponse, TermsBody, TermsResponse,
};

fn version(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": 255 })
}

const PAGES: &[Parameter] = &[
    Parameter { name: "limit", about: "How many a page has at most.", schema: whole_1_to_200 },
    Parameter {
        name: "cursor",
        about: "The `next_cursor` of the page before.",
        schema: of::<String>,
    },
];

const DIFF: &[Parameter] = &[
    Parameter {
        name: "from",
        about: "The first: `latest`, a number or an id; what the second was made from if absent.",
        schema: version,
    },
    Parameter {
        name: "to",
        about: "The second: `latest`, a number or an id; the newest if absent.",
        schema: version,
    },
];

const SINCE: &[Parameter] = &[Parameter {
    name: "since",
    about: "Only runs that ended at this time or later.",
    schema: time,
}];

/// A row with what all of these share.
const fn route(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    about: &'static str,
    gives: fn(&mut SchemaGenerator) -> Schema,
) -> Route {
    Route {
        method,
        path,
        id,
        about,
        tag: "prompts",
        key: true,
        query: &[],
        body: None,
        good: OK,
        gives: Gives::Json(gives),
        bad: &[401, 403, 404, 503],
        handler: || route_get(families),
    }
}

const MADE: &[(u16, &str)] = &[(201, "It was added."), (200, "There was one that says the same.")];

/// The routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route {
            query: PAGES,
            bad: &[401, 422, 503],
            ..route(
                "get",
                "/api/v1/prompts",
                "listPromptFamilies",
                "Families of prompts with their newest versions, by id.",
                of::<PromptFamilyList>,
            )
        },
        Route {
            body: Some(of::<NewFamily>),
            good: MADE,
            bad: &[401, 403, 409, 503],
            handler: || route_post(find_or_create),
            ..route(
                "post",
                "/api/v1/prompts",
                "findOrCreatePrompt",
                "Finds the version that says this, or keeps it as the first of a family.",
                of::<PromptFamilyView>,
            )
        },
        Route {
            body: Some(of::<AnalyzeBody>),
            bad: &[401, 502, 503],
            handler: || route_post(analyze),
            ..route(
                "post",
                "/api/v1/prompts/analyze",
                "analyzePrompt",
                "What a prompt speaks about, which terms it holds, and which providers take it.",
                of::<AnalyzeResponse>,
            )
        },
        Route {
            bad: &[401, 503],
            handler: || route_get(terms),
            ..route(
                "get",
                "/api/v1/prompts/terms",
                "getTerms",
                "What the tenant blocks and flags in prompts.",
                of::<TermsResponse>,
            )
        },
        Route {
            body: Some(of::<TermsBody>),
            bad: &[401, 403, 503],
            handler: || route_put(put_terms),
            ..route(
                "put",
                "/api/v1/prompts/terms",
                "putTerms",
                "Sets what the tenant blocks and flags in prompts.",
                of::<TermsResponse>,
            )
        },
        Route {
            handler: || route_get(family),
            ..route(
                "get",
                "/api/v1/prompts/{family}",
                "getPromptFamily",
                "A family with its newest version.",
                of::<PromptFamilyView>,
            )
        },
        Route {
            body: Some(of::<FamilyPatch>),
            handler: || route_patch(patch_family),
            ..route(
                "patch",
                "/api/v1/prompts/{family}",
                "patchPromptFamily",
                "Changes name, description and split of a family (RFC 7396).",
                of::<PromptFamilyView>,
            )
        },
        Route {
            query: PAGES,
            bad: &[401, 404, 422, 503],
            handler: || route_get(versions),
            ..route(
                "get",
                "/api/v1/prompts/{family}/versions",
                "listPromptVersions",
                "Versions of a family, newest first.",
                of::<PromptVersionList>,
            )
        },
        Route {
            body: Some(of::<NewPromptVersion>),
            good: MADE,
            handler: || route_post(add_version),
            ..route(
                "post",
                "/api/v1/prompts/{family}/versions",
                "addPromptVersion",
                "Adds a version to a family, unless one of it says the same.",
                of::<PromptVersionView>,
            )
        },
        Route {
            handler: || route_get(one_version),
            ..route(
                "get",
                "/api/v1/prompts/{family}/versions/{version}",
                "getPromptVersion",
                "One version: `latest`, by its number, or by its id.",
                of::<PromptVersionView>,
            )
        },
        Route {
            body: Some(of::<RenderBody>),
            handler: || route_post(render),
            ..route(
                "post",
                "/api/v1/prompts/{family}/render",
                "renderPrompt",
                "What a create under a version of the family would send.",
                of::<RenderResponse>,
            )
        },
        Route {
            query: DIFF,
            bad: &[401, 404, 422, 503],
            handler: || route_get(diff),
            ..route(
                "get",
                "/api/v1/prompts/{family}/diff",
                "diffPromptVersions",
                "In what two versions of a family differ, word by word.",
                of::<PromptDiff>,
            )
        },
        Route {
            query: SINCE,
            bad: &[401, 404, 422, 503],
            handler: || route_get(usage),
            ..route(
                "get",
                "/api/v1/prompts/{family}/usage",
                "getPromptUsage",
                "How runs of the family's versions ended, and what moderation refused.",
                of::<PromptUsage>,
            )
        },
    ]
}

/// The parameters of a query by name; another one is a fault.
fn query(text: Option<&str>, known: &[Parameter]) -> Result<Vec<(String, String)>, Problem> {
    let pairs = query_pairs(text.unwrap_or(""));
    let mut faults = Vec::new();
    for (name, value) in &pairs {
        let pointer = format!("/{name}");
        if !known.iter().any(|parameter| parameter.name == name) {
            let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
            let detail = format!("it is not known: {}", names.join(", "));
            faults.push(Fault::new(&pointer, "query/not-understood", detail));
        } else if value.contains('\0') {
            let detail = "the character U+0000 is in no text";
            faults.push(Fault::new(&pointer, "query/not-understood", detail));
        }
    }
    if faults.is_empty() { Ok(pairs) } else { Err(Problem::faults(faults)) }
}

fn find<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn not_understood(name: &str, detail: &str) -> Problem {
    Problem::faults(vec![Fault::new(&format!("/{name}"), "query/not-understood", detail)])
}

fn limit(pairs: &[(String, String)]) -> Result<usize, Problem> {
    let Some(text) = find(pairs, "limit") else { return Ok(50) };
    let limit = text.parse().ok().filter(|limit| (1..=200).contains(limit));
    limit.ok_or_else(|| not_understood("limit", "a page has 1 to 200"))
}

/// The header that leads to the next page.
fn linked(mut reply: axum::response::Response, path: &str, next: Option<&String>) -> Reply {
    if let Some(cursor) = next {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("cursor", cursor).finish();
        set(reply.headers_mut(), LINK, format!("<{path}?{query}>; rel=\"next\""));
    }
    Ok(reply)
}

/// The status of what was made or found.
fn made(made: bool) -> StatusCode {
    if made { StatusCode::CREATED } else { StatusCode::OK }
}

async fn families(State(app): State<App>, caller: Caller, RawQuery(text): RawQuery) -> Reply {
    let pairs = query(text.as_deref(), PAGES)?;
    let after = find(&pairs, "cursor").unwrap_or("");
    let page = app.service.prompt_families(&caller, after, limit(&pairs)?).await?;
    linked(json(StatusCode::OK, &page), "/api/v1/prompts", page.next_cursor.as_ref())
}

async fn find_or_create(State(app): State<App>, caller: Caller, JsonText(text): JsonText) -> Reply {
    let (family, new) = app.service.find_or_create_prompt(&caller, read(&text)?).await?;
    Ok(json(made(new), &family))
}

async fn analyze(State(app): State<App>, caller: Caller, JsonText(text): JsonText) -> Reply {
    let body: AnalyzeBody = read(&text)?;
    Ok(json(StatusCode::OK, &app.service.analyze_prompt(&caller, &body).await?))
}

async fn terms(State(app): State<App>, caller: Caller) -> Reply {
    Ok(json(StatusCode::OK, &app.service.terms(&caller).await?))
}

async fn put_terms(State(app): State<App>, caller: Caller, JsonText(text): JsonText) -> Reply {
    Ok(json(StatusCode::OK, &app.service.put_terms(&caller, read(&text)?).await?))
}

async fn family(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(json(StatusCode::OK, &app.service.prompt_family(&caller, &id).await?))
}

async fn patch_family(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    JsonText(text): JsonText,
) -> Reply {
    let patch: FamilyPatch = read(&text)?;
    Ok(json(StatusCode::OK, &app.service.patch_family(&caller, &id, patch).await?))
}

async fn versions(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    RawQuery(text): RawQuery,
) -> Reply {
    let pairs = query(text.as_deref(), PAGES)?;
    let before = match find(&pairs, "cursor") {
        Some(text) => {
            text.parse().map_err(|_| not_understood("cursor", "it is the number of a version"))?
        }
        None => i64::MAX,
    };
    let page = app.service.prompt_versions(&caller, &id, before, limit(&pairs)?).await?;
    let path = format!("/api/v1/prompts/{id}/versions");
    linked(json(StatusCode::OK, &page), &path, page.next_cursor.as_ref())
}

async fn add_version(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    JsonText(text): JsonText,
) -> Reply {
    let body: NewPromptVersion = read(&text)?;
    let (version, new) = app.service.add_prompt_version(&caller, &id, body).await?;
    Ok(json(made(new), &version))
}

async fn one_version(
    State(app): State<App>,
    caller: Caller,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
) -> Reply {
    let named = path.ok().filter(|Path((family, version))| {
        ![family, version].iter().any(|name| name.contains('\0'))
    });
    let Some(Path((family, version))) = named else {
        return Err(Problem::new(ProblemCode::NotFound, "nothing is called so").into());
    };
    Ok(json(StatusCode::OK, &app.service.prompt_version(&caller, &family, &version).await?))
}

async fn render(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    JsonText(text): JsonText,
) -> Reply {
    let body: RenderBody = read(&text)?;
    Ok(json(StatusCode::OK, &app.service.render_prompt(&caller, &id, &body).await?))
}

async fn diff(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    RawQuery(text): RawQuery,
) -> Reply {
    let pairs = query(text.as_deref(), DIFF)?;
    let two = (find(&pairs, "from"), find(&pairs, "to").unwrap_or("latest"));
    Ok(json(StatusCode::OK, &app.service.prompt_diff(&caller, &id, two).await?))
}

async fn usage(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    RawQuery(text): RawQuery,
) -> Reply {
    let pairs = query(text.as_deref(), SINCE)?;
    let since = match find(&pairs, "since") {
        Some(text) => Some(parse_rfc3339(text).ok_or_else(|| {
            not_understood("since", "a time is RFC 3339, such as 2026-11-23T20:00:00Z")
        })?),
        None => None,
    };
    Ok(json(StatusCode::OK, &app.service.prompt_usage(&caller, &id, since).await?))
}
