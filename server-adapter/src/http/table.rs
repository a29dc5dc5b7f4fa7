//! The table of routes. The router and the OpenAPI document are both made of it, so that neither
//! can name what the other lacks.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, patch, post};
use onepath_core::{CreateGenerationRequest, SimpleImageToVideoRequest, SocialContextRequest};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{App, assets, events, generations, meta, telemetry};
use crate::service::{
    CreateGenerationResponse, GenerationListResponse, GenerationResponse, PreflightResponse,
    SocialContextResponse, UsageResponse, ValidateResponse,
};
use crate::service::{OperationTelemetry, ProviderTelemetry, ProvidersTelemetry};

/// What a route gives back when it goes well.
#[derive(Clone, Copy)]
pub(super) enum Gives {
    /// JSON of a schema.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// JSON that describes itself.
    AnyJson(&'static str),
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
    handler: fn() -> MethodRouter<App>,
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn whole_1_to_200(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 })
}

fn route_get<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    get(handler)
}

fn route_post<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    post(handler)
}

fn route_patch<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    patch(handler)
}

fn route_delete<H, T>(handler: H) -> MethodRouter<App>
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

fn time(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string", "format": "date-time" })
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
    Parameter {
        name: "cursor",
        about: "The `next_cursor` of the page before.",
        schema: of::<String>,
    },
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
    Parameter { name: "cursor", about: "Events behind this place.", schema: of::<String> },
    Parameter { name: "words", about: "`old` for those of the system before.", schema: words },
    Parameter {
        name: "token",
        about: "The key, for readers who cannot send a header.",
        schema: of::<String>,
    },
];

const SIGNED: &[Parameter] = &[
    Parameter { name: "expires", about: "Part of a signed URL.", schema: of::<String> },
    Parameter { name: "reader", about: "Part of a signed URL.", schema: of::<String> },
    Parameter { name: "signature", about: "Part of a signed URL.", schema: of::<String> },
];

const OK: &[(u16, &str)] = &[(200, "Here it is.")];

/// Every route, in the order of the documentation.
pub(super) fn routes() -> Vec<Route> {
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
            gives: Gives::Json(of::<CreateGenerationResponse>),
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
            gives: Gives::Json(of::<CreateGenerationResponse>),
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
            path: "/api/v1/generations/{id}",
            id: "getGeneration",
            about: "One generation with its attempts and assets.",
            tag: "generations",
            key: true,
            query: &[],
            body: None,
            good: &[(200, "Here it is."), (304, "It is as you know it.")],
            gives: Gives::Json(of::<GenerationResponse>),
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
            method: "get",
            path: "/api/v1/assets/{id}/file",
            id: "getAssetFile",
            about: "The bytes of an asset, by key or by signed URL.",
            tag: "assets",
            key: true,
            query: SIGNED,
            body: None,
            good: &[(200, "The bytes."), (304, "They are known already.")],
            gives: Gives::Picture,
            bad: &[401, 403, 404, 503],
            handler: || route_get(assets::file),
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
            gives: Gives::AnyJson(
                "`{operations: [{generation_type, operation, media, is_semantic_alias}]}`",
            ),
            bad: &[401],
            handler: || route_get(meta::operations),
        },
        Route {
            method: "get",
            path: "/api/v1/providers",
            id: "listProviders",
            about: "The providers of this server, with their operations and settings.",
            tag: "meta",
            key: true,
            query: &[],
            body: None,
            good: OK,
            gives: Gives::AnyJson("`{providers: [ProviderInfo]}`"),
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
            gives: Gives::AnyJson("`{status: \"ok\"}`"),
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
            gives: Gives::AnyJson("`{status: \"ready\"}`"),
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
            gives: Gives::AnyJson("`{version, contract}`"),
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
            good: OK,
            gives: Gives::AnyJson("OpenAPI 3.1."),
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
            good: OK,
            gives: Gives::AnyJson("A JSON Schema."),
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
            good: OK,
            gives: Gives::AnyJson("A JSON Schema."),
            bad: &[404],
            handler: || route_get(meta::schema_for_editors),
        },
    ]
}

/// The router of the table.
pub(super) fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, (route.handler)());
    }
    router.method_not_allowed_fallback(meta::no_method).fallback(meta::no_path).with_state(app)
}
