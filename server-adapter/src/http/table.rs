//! The table of routes. The router and the OpenAPI document are both made of it, so that neither
//! can name what the other lacks.

use std::collections::BTreeSet;

use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use axum::{Extension, Router};
use onepath_core::legacy::CreateJobRequest;
use onepath_core::{CreateGenerationRequest, SimpleImageToVideoRequest, SocialContextRequest};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::door::{StartsRun, keep};
use super::generations::CONTENT;
use super::meta::{OperationsResponse, ProvidersResponse, StatusResponse, VersionResponse};
use super::{
    App, assets, cache, docs, endpoints, events, generations, jobs, meta, telemetry, webhooks,
};
use crate::service::{
    AssetListResponse, AssetView, CreateGenerationResponse, GenerateContentResponse,
    GenerationListResponse, GenerationResponse, LineageResponse, PreflightResponse,
    SocialContextResponse, UsageResponse, ValidateResponse,
};
use crate::service::{
    CacheStats, InvalidateBody, InvalidateResponse, OperationTelemetry, ProviderTelemetry,
    ProvidersTelemetry,
};
use crate::service::{EndpointBody, EndpointList, EndpointView, MessageList, MessageView};
use crate::service::{JobListResponse, JobResponse};

/// What a route gives back when it goes well.
#[derive(Clone, Copy)]
pub(super) enum Gives {
    /// JSON of a schema.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// JSON of a schema, and of another for whoever accepts that media type.
    JsonOr(fn(&mut SchemaGenerator) -> Schema, &'static str, fn(&mut SchemaGenerator) -> Schema),
    /// JSON that describes itself, of a media type.
    AnyJson(&'static str, &'static str),
    /// The bytes of a picture.
    Picture,
    /// Text that Prometheus reads.
    Metrics,
    /// No body.
    Nothing,
    /// Frames of events.
    Events,
}

/// A parameter of a query.
#[derive(Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
}

/// One row of the table.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) about: &'static str,
    pub(super) tag: &'static str,
    /// Whether a key is needed.
    pub(super) key: bool,
    pub(super) query: &'static [Parameter],
    pub(super) body: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// Statuses of success with what they mean.
    pub(super) good: &'static [(u16, &'static str)],
    pub(super) gives: Gives,
    /// Statuses of problems.
    pub(super) bad: &'static [u16],
    pub(super) handler: fn() -> MethodRouter<App>,
}

impl Route {
    /// Whether it may start a run: it is answered with 202.
    pub(super) fn starts_run(&self) -> bool {
        self.good.iter().any(|(status, _)| *status == 202)
    }

    /// Statuses of problems: its own, those of reading a body, and those of every key.
    pub(super) fn problems(&self) -> BTreeSet<u16> {
        let body: &[u16] = if self.body.is_some() { &[400, 408, 413, 415, 422] } else { &[] };
        let key: &[u16] = if self.key { &[401, 403, 422, 429, 503] } else { &[] };
        [self.bad, body, key].concat().into_iter().collect()
    }
}

pub(super) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

pub(super) fn whole_1_to_200(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 })
}

pub(super) fn route_get<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    get(handler)
}

pub(super) fn route_post<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    post(handler)
}

pub(super) fn route_patch<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    patch(handler)
}

pub(super) fn route_put<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    put(handler)
}

pub(super) fn route_delete<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    delete(handler)
}

fn patch_body(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "description": "A merge patch (RFC 7396).",
        "properties": {
            "name": { "type": ["string", "null"], "maxLength": 255 },
            "description": { "type": ["string", "null"], "maxLength": 10000 },
            "tags": {
                "type": ["array", "null"],
                "maxItems": 50,
                "items": { "type": "string", "minLength": 1, "maxLength": 64 },
            },
            "priority": { "type": "integer", "minimum": 0, "maximum": 10 },
            "scheduled_at": { "type": ["string", "null"], "format": "date-time" },
            "action": { "const": "cancel" },
        },
        "additionalProperties": false,
    })
}

fn window(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "enum": ["1h", "24h", "7d"], "default": "24h" })
}

const WINDOW: &[Parameter] =
    &[Parameter { name: "window", about: "How far back is looked.", schema: window }];

fn whole(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": 100_000, "default": 0 })
}

fn flag(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "boolean", "default": false })
}

pub(super) fn time(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "format": "date-time" })
}

fn place(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{1,18}\\.[0-9a-f-]{36}$" })
}

fn position(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{1,18}$" })
}

const LIST: &[Parameter] = &[
    Parameter {
        name: "status",
        about: "Only generations of this status.",
        schema: of::<onepath_core::GenerationStatus>,
    },
    Parameter {
        name: "operation_type",
        about: "Only generations of this operation.",
        schema: of::<onepath_core::Operation>,
    },
    Parameter {
        name: "provider_id",
        about: "Only generations of this provider.",
        schema: of::<String>,
    },
    Parameter {
        name: "request_hash",
        about: "Only generations of this hash.",
        schema: of::<String>,
    },
    Parameter { name: "world_id", about: "Only generations of this world.", schema: of::<String> },
    Parameter {
        name: "workspace_id",
        about: "Only generations in this folder.",
        schema: of::<String>,
    },
    Parameter {
        name: "q",
        about: "Only generations with this text in their name or description.",
        schema: of::<String>,
    },
    Parameter {
        name: "created_after",
        about: "Only generations created at this time or later.",
        schema: time,
    },
    Parameter {
        name: "created_before",
        about: "Only generations created before this time.",
        schema: time,
    },
    Parameter { name: "offset", about: "Generations that are passed over.", schema: whole },
    Parameter { name: "limit", about: "How many a page has at most.", schema: whole_1_to_200 },
    Parameter { name: "cursor", about: "The `next_cursor` of the page before.", schema: place },
    Parameter {
        name: "count",
        about: "Whether `total` says how many there are on all pages.",
        schema: flag,
    },
];

fn words(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "enum": ["new", "old"], "default": "new" })
}

const EVENTS: &[Parameter] = &[
    Parameter { name: "cursor", about: "Events behind this place.", schema: position },
    Parameter { name: "words", about: "`old` for those of the system before.", schema: words },
    TOKEN,
];

fn binary(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "format": "binary" })
}

fn asset_patch(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "description": "A merge patch (RFC 7396).",
        "properties": {
            "name": { "type": ["string", "null"], "minLength": 1, "maxLength": 255 },
            "tags": {
                "type": ["array", "null"],
                "maxItems": 50,
                "items": { "type": "string", "minLength": 1, "maxLength": 64 },
            },
        },
        "additionalProperties": false,
    })
}

fn media(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "enum": ["image", "video"] })
}

fn source(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "enum": ["upload", "generation"] })
}

const ASSETS: &[Parameter] = &[
    Parameter { name: "tag", about: "Only with this tag.", schema: of::<String> },
    Parameter { name: "q", about: "Only with this text in their name.", schema: of::<String> },
    Parameter { name: "provider_id", about: "Only what it made.", schema: of::<String> },
    Parameter { name: "generation_id", about: "Only of this generation.", schema: of::<String> },
    Parameter { name: "media", about: "Only pictures, or only videos.", schema: media },
    Parameter { name: "media_type", about: "Only of this type.", schema: of::<String> },
    Parameter { name: "source", about: "Only uploads, or only what was made.", schema: source },
    Parameter {
        name: "sync_status",
        about: "Only those whose bytes are so far.",
        schema: of::<crate::store::SyncStatus>,
    },
    Parameter { name: "limit", about: "How many a page has at most.", schema: whole_1_to_200 },
    Parameter {
        name: "cursor",
        about: "The `next_cursor` of the page before.",
        schema: of::<String>,
    },
];

const TOKEN: Parameter = Parameter {
    name: "token",
    about: "The key, for readers who cannot send a header.",
    schema: of::<String>,
};

const SIGNED: &[Parameter] = &[
    Parameter { name: "expires", about: "Part of a signed URL.", schema: of::<String> },
    Parameter { name: "reader", about: "Part of a signed URL.", schema: of::<String> },
    Parameter { name: "signature", about: "Part of a signed URL.", schema: of::<String> },
];

const MESSAGES: &[Parameter] = &[
    Parameter { name: "limit", about: "How many a page has at most.", schema: whole_1_to_200 },
    Parameter {
        name: "cursor",
        about: "The `next_cursor` of the page before.",
        schema: of::<String>,
    },
];

pub(super) const OK: &[(u16, &str)] = &[(200, "Here it is.")];

/// What does not change, or has a tag.
const TAGGED: &[(u16, &str)] = &[(200, "Here it is."), (304, "It is as you know it.")];

/// Every route, in the order of the documentation.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = for_users();
    routes.extend(super::prompts::routes());
    routes.extend(super::accounts::routes());
    routes.extend(super::settings::routes());
    routes.extend(super::legacy::routes());
    routes
}

fn for_users() -> Vec<Route> {
    vec![
        Route {
            method: "post",
            path: "/api/v1/generations",
            id: "createGeneration",
            about: "Has something generated, or answers with what exists.",
            tag: "generations",
            key: true,
            query: &[],
            body: Some(of::<CreateGenerationRequest<'static>>),
            good: &[
                (202, "A run was started or joined; `Location` names the generation."),
                (200, "It exists; nothing is paid."),
            ],
            gives: Gives::JsonOr(
                of::<CreateGenerationResponse>,
                CONTENT,
                of::<GenerateContentResponse>,
            ),
            bad: &[400, 401, 402, 403, 408, 409, 413, 415, 422, 429, 503, 507],
            handler: || route_post(generations::create),
        },
        Route {
            method: "get",
            path: "/api/v1/generations",
            id: "listGenerations",
            about: "The caller's own generations, newest first.",
            tag: "generations",
            key: true,
            query: LIST,
            body: None,
            good: OK,
            gives: Gives::Json(of::<GenerationListResponse>),
            bad: &[401, 422, 503],
            handler: || route_get(generations::list),
        },
        Route {
            method: "post",
            path: "/api/v1/generations/validate",
            id: "validateGeneration",
            about: "What the rules find; nothing is stored.",
            tag: "generations",
            key: true,
            query: &[],
            body: Some(of::<CreateGenerationRequest<'static>>),
            good: OK,
            gives: Gives::Json(of::<ValidateResponse>),
            bad: &[400, 401, 408, 413, 415, 422],
            handler: || route_post(generations::validate),
        },
        Route {
            method: "post",
            path: "/api/v1/generations/preflight",
            id: "preflightGeneration",
            about: "How a create would be answered, what it would cost, what the server allows.",
            tag: "generations",
            key: true,
            query: &[],
            body: Some(of::<CreateGenerationRequest<'static>>),
            good: OK,
            gives: Gives::Json(of::<PreflightResponse>),
            bad: &[400, 401, 403, 408, 409, 413, 415, 422, 503],
            handler: || route_post(generations::preflight),
        },
        Route {
            method: "post",
            path: "/api/v1/generations/simple-image-to-video",
            id: "simpleImageToVideo",
            about: "Has a picture moved: the short way, through the same builder.",
            tag: "generations",
            key: true,
            query: &[],
            body: Some(of::<SimpleImageToVideoRequest<'static>>),
            good: &[
                (202, "A run was started; `Location` names the generation."),
                (200, "It is over, and the caller preferred to wait."),
            ],
            gives: Gives::JsonOr(
                of::<CreateGenerationResponse>,
                CONTENT,
                of::<GenerateContentResponse>,
            ),
            bad: &[400, 401, 402, 403, 408, 413, 415, 422, 429, 503, 507],
            handler: || route_post(generations::simple_image_to_video),
        },
        Route {
            method: "post",
            path: "/api/v1/generations/social-context/build",
            id: "buildSocialContext",
            about: "How a player stands to the npcs of a moment, from the server's own world.",
            tag: "generations",
            key: true,
            query: &[],
            body: Some(of::<SocialContextRequest<'static>>),
            good: OK,
            gives: Gives::Json(of::<SocialContextResponse>),
            bad: &[400, 401, 408, 413, 415, 422, 503],
            handler: || route_post(generations::social_context),
        },
        Route {
            method: "get",
            path: "/api/v1/generations/events",
            id: "streamEvents",
            about: "Events as they happen, as server-sent events; `Last-Event-ID` goes on behind it.",
            tag: "events",
            key: true,
            query: EVENTS,
            body: None,
            good: &[(200, "Frames until either side ends.")],
            gives: Gives::Events,
            bad: &[401, 422, 503],
            handler: || route_get(events::stream_events),
        },
        Route {
            method: "post",
            path: "/api/v1/jobs",
            id: "createJob",
            about: "Deprecated: a job is a generation. Its flat parameters go through the same builder.",
            tag: "jobs",
            key: true,
            query: &[],
            body: Some(of::<CreateJobRequest<'static>>),
            good: &[(201, "It is taken in; `id` is the generation's number.")],
            gives: Gives::Json(of::<JobResponse>),
            bad: &[400, 401, 402, 403, 408, 409, 410, 413, 415, 422, 429, 503, 507],
            handler: || route_post(jobs::create),
        },
        Route {
            method: "get",
            path: "/api/v1/jobs",
            id: "listJobs",
            about: "Deprecated: the caller's own generations as jobs, newest first.",
            tag: "jobs",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<JobListResponse>),
            bad: &[401, 410, 422, 503],
            handler: || route_get(jobs::list),
        },
        Route {
            method: "get",
            path: "/api/v1/jobs/{id}",
            id: "getJob",
            about: "Deprecated: one generation as a job, by its number.",
            tag: "jobs",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<JobResponse>),
            bad: &[401, 404, 410, 503],
            handler: || route_get(jobs::get),
        },
        Route {
            method: "delete",
            path: "/api/v1/jobs/{id}",
            id: "cancelJob",
            about: "Deprecated: cancels, and deletes nothing; 400 for a job that is over.",
            tag: "jobs",
            key: true,
            query: &[],
            body: None,
            good: &[(204, "Its end is wished for.")],
            gives: Gives::Nothing,
            bad: &[400, 401, 404, 410, 503],
            handler: || route_delete(jobs::cancel),
        },
        Route {
            method: "get",
            path: "/api/v1/ws/generations",
            id: "openSocket",
            about: "The same frames over a web socket; `ping` is answered with `pong`.",
            tag: "events",
            key: false,
            query: EVENTS,
            body: None,
            good: &[(
                101,
                "The connection is a web socket from now on; without a known key it is \
                           closed with 1008.",
            )],
            gives: Gives::Nothing,
            bad: &[422],
            handler: || route_get(events::socket),
        },
        Route {
            method: "get",
            path: "/api/v1/ws/jobs",
            id: "openJobSocket",
            about: "Deprecated: what happens to the caller's own generations, as frames of jobs; \
                    `ping` is answered with `{\"type\":\"pong\"}`.",
            tag: "events",
            key: false,
            query: &[TOKEN],
            body: None,
            good: &[(
                101,
                "The connection is a web socket from now on; without a known key it is \
                           closed with 1008.",
            )],
            gives: Gives::Nothing,
            bad: &[410, 422],
            handler: || route_get(jobs::socket),
        },
        Route {
            method: "get",
            path: "/api/v1/generations/{id}",
            id: "getGeneration",
            about: "One generation with its attempts and assets.",
            tag: "generations",
            key: true,
            query: &[],
            body: None,
            good: TAGGED,
            gives: Gives::JsonOr(of::<GenerationResponse>, CONTENT, of::<GenerateContentResponse>),
            bad: &[401, 404, 503],
            handler: || route_get(generations::get),
        },
        Route {
            method: "post",
            path: "/api/v1/generations/{id}/cancel",
            id: "cancelGeneration",
            about: "Ends the caller's interest; the work stops when nobody wants it any more.",
            tag: "generations",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<GenerationResponse>),
            bad: &[401, 404, 409, 503],
            handler: || route_post(generations::cancel),
        },
        Route {
            method: "post",
            path: "/api/v1/generations/{id}/retry",
            id: "retryGeneration",
            about: "A new run of a generation that failed or was cancelled.",
            tag: "generations",
            key: true,
            query: &[],
            body: None,
            good: &[(202, "A run was started.")],
            gives: Gives::Json(of::<GenerationResponse>),
            bad: &[401, 402, 404, 409, 429, 503],
            handler: || route_post(generations::retry),
        },
        Route {
            method: "patch",
            path: "/api/v1/generations/{id}",
            id: "patchGeneration",
            about: "Changes name, description and tags and, while it is pending, priority and schedule.",
            tag: "generations",
            key: true,
            query: &[],
            body: Some(patch_body),
            good: OK,
            gives: Gives::Json(of::<GenerationResponse>),
            bad: &[400, 401, 404, 408, 409, 412, 413, 415, 422, 503],
            handler: || route_patch(generations::patch),
        },
        Route {
            method: "delete",
            path: "/api/v1/generations/{id}",
            id: "deleteGeneration",
            about: "Hides a generation that is over; it is no answer any more.",
            tag: "generations",
            key: true,
            query: &[],
            body: None,
            good: &[(204, "It is gone.")],
            gives: Gives::Nothing,
            bad: &[401, 404, 409, 503],
            handler: || route_delete(generations::delete),
        },
        Route {
            method: "get",
            path: "/api/v1/usage",
            id: "getUsage",
            about: "What the caller used this month, and what is left.",
            tag: "generations",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<UsageResponse>),
            bad: &[401, 503],
            handler: || route_get(generations::usage),
        },
        Route {
            method: "get",
            path: "/api/v1/generations/cache/stats",
            id: "getCacheStats",
            about: "How the creates of the tenant were answered, and what that saved.",
            tag: "cache",
            key: true,
            query: WINDOW,
            body: None,
            good: OK,
            gives: Gives::Json(of::<CacheStats>),
            bad: &[401, 422, 503],
            handler: || route_get(cache::stats),
        },
        Route {
            method: "post",
            path: "/api/v1/generations/cache/check",
            id: "checkCache",
            about: "How a create would be answered: the same as preflight.",
            tag: "cache",
            key: true,
            query: &[],
            body: Some(of::<CreateGenerationRequest<'_>>),
            good: OK,
            gives: Gives::Json(of::<PreflightResponse>),
            bad: &[400, 401, 403, 408, 409, 413, 415, 422, 503],
            handler: || route_post(generations::preflight),
        },
        Route {
            method: "post",
            path: "/api/v1/generations/cache/invalidate",
            id: "invalidateCache",
            about: "Rows that shall answer no create any more; a preview says what they cost.",
            tag: "cache",
            key: true,
            query: &[],
            body: Some(of::<InvalidateBody>),
            good: OK,
            gives: Gives::Json(of::<InvalidateResponse>),
            bad: &[400, 401, 408, 413, 415, 422, 503],
            handler: || route_post(cache::invalidate),
        },
        Route {
            method: "get",
            path: "/api/v1/generations/telemetry/providers",
            id: "getProvidersTelemetry",
            about: "How the runs of every provider went: counts, rates, cost, waits and latencies.",
            tag: "telemetry",
            key: true,
            query: WINDOW,
            body: None,
            good: OK,
            gives: Gives::Json(of::<ProvidersTelemetry>),
            bad: &[401, 403, 422, 503],
            handler: || route_get(telemetry::providers),
        },
        Route {
            method: "get",
            path: "/api/v1/generations/telemetry/providers/{id}",
            id: "getProviderTelemetry",
            about: "The same of one provider, by operation and model.",
            tag: "telemetry",
            key: true,
            query: WINDOW,
            body: None,
            good: OK,
            gives: Gives::Json(of::<ProviderTelemetry>),
            bad: &[401, 403, 404, 422, 503],
            handler: || route_get(telemetry::provider),
        },
        Route {
            method: "get",
            path: "/api/v1/generations/telemetry/operations/{id}",
            id: "getOperationTelemetry",
            about: "The same of one operation, by provider.",
            tag: "telemetry",
            key: true,
            query: WINDOW,
            body: None,
            good: OK,
            gives: Gives::Json(of::<OperationTelemetry>),
            bad: &[401, 403, 404, 422, 503],
            handler: || route_get(telemetry::operation),
        },
        Route {
            method: "get",
            path: "/metrics",
            id: "getMetrics",
            about: "What this process recorded, as Prometheus reads it.",
            tag: "telemetry",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Metrics,
            bad: &[401, 403, 404, 503],
            handler: || route_get(telemetry::scrape),
        },
        Route {
            method: "post",
            path: "/api/v1/assets",
            id: "uploadAsset",
            about: "Keeps a picture or a video as an asset; bytes that the caller has are that asset.",
            tag: "assets",
            key: true,
            query: &[],
            body: Some(binary),
            good: &[
                (201, "It is kept; `Location` names the asset."),
                (200, "The caller has these bytes already, as this asset."),
            ],
            gives: Gives::Json(of::<AssetView>),
            bad: &[401, 402, 408, 413, 415, 422, 503, 507],
            handler: || route_post(assets::upload),
        },
        Route {
            method: "get",
            path: "/api/v1/assets",
            id: "listAssets",
            about: "The caller's own assets, newest first.",
            tag: "assets",
            key: true,
            query: ASSETS,
            body: None,
            good: OK,
            gives: Gives::Json(of::<AssetListResponse>),
            bad: &[401, 422, 503],
            handler: || route_get(assets::list),
        },
        Route {
            method: "get",
            path: "/api/v1/assets/{id}",
            id: "getAsset",
            about: "One asset.",
            tag: "assets",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<AssetView>),
            bad: &[401, 404, 503],
            handler: || route_get(assets::get),
        },
        Route {
            method: "patch",
            path: "/api/v1/assets/{id}",
            id: "patchAsset",
            about: "Changes name and tags.",
            tag: "assets",
            key: true,
            query: &[],
            body: Some(asset_patch),
            good: OK,
            gives: Gives::Json(of::<AssetView>),
            bad: &[400, 401, 404, 408, 413, 415, 422, 503],
            handler: || route_patch(assets::patch),
        },
        Route {
            method: "delete",
            path: "/api/v1/assets/{id}",
            id: "deleteAsset",
            about: "Deletes an asset; what was made from it goes on.",
            tag: "assets",
            key: true,
            query: &[],
            body: None,
            good: &[(204, "It is gone.")],
            gives: Gives::Nothing,
            bad: &[401, 404, 503],
            handler: || route_delete(assets::delete),
        },
        Route {
            method: "get",
            path: "/api/v1/assets/{id}/lineage",
            id: "getAssetLineage",
            about: "Where an asset comes from, and what came of it.",
            tag: "assets",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<LineageResponse>),
            bad: &[401, 404, 503],
            handler: || route_get(assets::lineage),
        },
        Route {
            method: "post",
            path: "/api/v1/assets/{id}/sync",
            id: "syncAsset",
            about: "Tries again to fetch what was made and is not here.",
            tag: "assets",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<AssetView>),
            bad: &[401, 404, 502, 503],
            handler: || route_post(assets::sync),
        },
        Route {
            method: "get",
            path: "/api/v1/assets/{id}/file",
            id: "getAssetFile",
            about: "The bytes of an asset, by key or by signed URL.",
            tag: "assets",
            key: true,
            query: SIGNED,
            body: None,
            good: &[
                (200, "The bytes."),
                (206, "The part that was asked for."),
                (304, "They are known already."),
                (307, "The bucket has them, at `Location`."),
            ],
            gives: Gives::Picture,
            bad: &[401, 403, 404, 409, 416, 503],
            handler: || route_get(assets::file),
        },
        Route {
            method: "get",
            path: "/api/v1/assets/{id}/thumbnail",
            id: "getAssetThumbnail",
            about: "A small picture of an asset, by key or by signed URL.",
            tag: "assets",
            key: true,
            query: SIGNED,
            body: None,
            good: &[
                (200, "The bytes."),
                (206, "The part that was asked for."),
                (304, "They are known already."),
                (307, "The bucket has them, at `Location`."),
            ],
            gives: Gives::Picture,
            bad: &[401, 403, 404, 409, 416, 503],
            handler: || route_get(assets::small),
        },
        Route {
            method: "post",
            path: "/api/v1/webhook-endpoints",
            id: "createEndpoint",
            about: "Tells a URL of the tenant of events; the secret is shown this once.",
            tag: "webhooks",
            key: true,
            query: &[],
            body: Some(of::<EndpointBody>),
            good: &[(201, "It is told from now on.")],
            gives: Gives::Json(of::<EndpointView>),
            bad: &[400, 401, 403, 408, 409, 413, 415, 422, 503],
            handler: || route_post(endpoints::create),
        },
        Route {
            method: "get",
            path: "/api/v1/webhook-endpoints",
            id: "listEndpoints",
            about: "The tenant's endpoints.",
            tag: "webhooks",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<EndpointList>),
            bad: &[401, 403, 503],
            handler: || route_get(endpoints::list),
        },
        Route {
            method: "patch",
            path: "/api/v1/webhook-endpoints/{id}",
            id: "patchEndpoint",
            about: "Changes URL and events of an endpoint, and whether it is told anything.",
            tag: "webhooks",
            key: true,
            query: &[],
            body: Some(of::<EndpointBody>),
            good: OK,
            gives: Gives::Json(of::<EndpointView>),
            bad: &[400, 401, 403, 404, 408, 413, 415, 422, 503],
            handler: || route_patch(endpoints::patch),
        },
        Route {
            method: "delete",
            path: "/api/v1/webhook-endpoints/{id}",
            id: "deleteEndpoint",
            about: "Removes an endpoint with its deliveries.",
            tag: "webhooks",
            key: true,
            query: &[],
            body: None,
            good: &[(204, "It is gone.")],
            gives: Gives::Nothing,
            bad: &[401, 403, 404, 503],
            handler: || route_delete(endpoints::delete),
        },
        Route {
            method: "post",
            path: "/api/v1/webhook-endpoints/{id}/rotate-secret",
            id: "rotateSecret",
            about: "A new secret; the old one signs beside it for a day.",
            tag: "webhooks",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<EndpointView>),
            bad: &[401, 403, 404, 503],
            handler: || route_post(endpoints::rotate),
        },
        Route {
            method: "post",
            path: "/api/v1/webhook-endpoints/{id}/test",
            id: "testEndpoint",
            about: "Sends `webhook.ping`.",
            tag: "webhooks",
            key: true,
            query: &[],
            body: None,
            good: &[(200, "It is on its way.")],
            gives: Gives::Json(of::<MessageView>),
            bad: &[401, 403, 404, 503],
            handler: || route_post(endpoints::test),
        },
        Route {
            method: "get",
            path: "/api/v1/webhook-endpoints/{id}/deliveries",
            id: "listDeliveries",
            about: "What an endpoint was told, newest first.",
            tag: "webhooks",
            key: true,
            query: MESSAGES,
            body: None,
            good: OK,
            gives: Gives::Json(of::<MessageList>),
            bad: &[401, 403, 404, 503],
            handler: || route_get(endpoints::deliveries),
        },
        Route {
            method: "post",
            path: "/api/v1/webhook-endpoints/{id}/deliveries/{delivery}/replay",
            id: "replayDelivery",
            about: "Sends a delivery again, under the same id.",
            tag: "webhooks",
            key: true,
            query: &[],
            body: None,
            good: &[(204, "It is on its way.")],
            gives: Gives::Nothing,
            bad: &[401, 403, 404, 503],
            handler: || route_post(endpoints::replay),
        },
        Route {
            method: "post",
            path: "/api/v1/webhooks/{provider}/{token}",
            id: "takeWebhook",
            about: "For providers: a signed report about the attempt whose token the path carries.",
            tag: "webhooks",
            key: false,
            query: &[],
            body: None,
            good: &[(204, "It is taken, or says nothing new.")],
            gives: Gives::Nothing,
            bad: &[403, 404, 408, 413, 422, 503],
            handler: || route_post(webhooks::behind_door),
        },
        Route {
            method: "post",
            path: "/api/v1/webhooks/{provider}",
            id: "takeNamedWebhook",
            about: "For providers: a signed report that names its prediction itself.",
            tag: "webhooks",
            key: false,
            query: &[],
            body: None,
            good: &[(204, "It is taken, or says nothing new.")],
            gives: Gives::Nothing,
            bad: &[403, 404, 408, 413, 422, 503],
            handler: || route_post(webhooks::by_name),
        },
        Route {
            method: "get",
            path: "/api/v1/generation-operations",
            id: "listOperations",
            about: "Every generation type with its operation.",
            tag: "meta",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<OperationsResponse>),
            bad: &[401],
            handler: || route_get(meta::operations),
        },
        Route {
            method: "get",
            path: "/api/v1/providers",
            id: "listProviders",
            about: "Every provider with its operations and settings, and whether this server can ask it.",
            tag: "meta",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<ProvidersResponse>),
            bad: &[401],
            handler: || route_get(meta::providers),
        },
        Route {
            method: "get",
            path: "/healthz",
            id: "health",
            about: "Whether the process runs.",
            tag: "meta",
            key: false,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<StatusResponse>),
            bad: &[],
            handler: || route_get(meta::health),
        },
        Route {
            method: "get",
            path: "/readyz",
            id: "ready",
            about: "Whether the store answers.",
            tag: "meta",
            key: false,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<StatusResponse>),
            bad: &[503],
            handler: || route_get(meta::ready),
        },
        Route {
            method: "get",
            path: "/version",
            id: "version",
            about: "The server's version and that of the contract.",
            tag: "meta",
            key: false,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::Json(of::<VersionResponse>),
            bad: &[],
            handler: || route_get(meta::version),
        },
        Route {
            method: "get",
            path: "/openapi.json",
            id: "openapi",
            about: "This document.",
            tag: "meta",
            key: false,
            query: &[],
            body: None,
            good: TAGGED,
            gives: Gives::AnyJson("application/json", "OpenAPI 3.1."),
            bad: &[],
            handler: || route_get(meta::openapi),
        },
        Route {
            method: "get",
            path: "/schema/{name}",
            id: "schema",
            about: "A JSON Schema of a type that travels (draft 2020-12).",
            tag: "meta",
            key: false,
            query: &[],
            body: None,
            good: TAGGED,
            gives: Gives::AnyJson("application/schema+json", "A JSON Schema."),
            bad: &[404],
            handler: || route_get(meta::schema),
        },
        Route {
            method: "get",
            path: "/schema/draft-07/{name}",
            id: "schemaForEditors",
            about: "A JSON Schema of a type that travels (draft-07, for editors).",
            tag: "meta",
            key: false,
            query: &[],
            body: None,
            good: TAGGED,
            gives: Gives::AnyJson("application/schema+json", "A JSON Schema."),
            bad: &[404],
            handler: || route_get(meta::schema_for_editors),
        },
    ]
}

/// The router of the table.
pub(super) fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let handler = (route.handler)();
        // Nobody asks where creates are not counted apart.
        let starts_run = route.starts_run() && app.door.rates.creates.is_some();
        let handler = if starts_run { handler.layer(Extension(StartsRun)) } else { handler };
        router = router.route(route.path, handler);
    }
    router = router.merge(docs::router());
    router = router.method_not_allowed_fallback(meta::no_method).fallback(meta::no_path);
    if app.door.is_kept() {
        router = router.layer(from_fn_with_state(app.clone(), keep));
    }
    router.with_state(app)
}
