#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod analysis;
mod batch;
mod build;
mod canonical;
mod codes;
mod config;
mod context;
mod decode;
mod document;
mod edit;
mod edited;
mod envelope;
mod explain;
mod facts;
mod finding;
mod fingerprint;
mod id;
mod identity;
mod json;
mod key;
#[cfg(feature = "legacy")]
pub mod legacy;
pub mod lifecycle;
pub mod limits;
mod operation;
mod order;
mod parts;
mod plan;
mod price;
mod prompt;
mod provider;
mod rating;
mod rebound;
mod request;
mod reroute;
mod review;
mod scene;
#[cfg(feature = "schema")]
pub mod schema;
mod seed;
mod social;
mod terms;
mod unicode;
mod validate;
mod words;

pub use analysis::{PromptAnalysis, PromptPart, PromptRole, RoleWords, analyze_prompt};
pub use batch::{BatchOp, batch};
pub use build::{Prepared, build, prepare};
pub use canonical::{canonical_value, canonicalize};
pub use codes::Code;
pub use config::{
    Blocks, ConstraintSet, DurationRule, FallbackConfig, FusionAsset, GenerationNodeConfig,
    SceneRef, StyleRules,
};
pub use context::{
    AxisMap, BuildOptions, LevelCondition, Named, Npc, PlayerContextSnapshot, Session,
    SocialContextConfig, StatDefinition, StatDefinitions, StatsConfig, Template, Terms, User,
    World, WorldGeneration, WorldLevel, WorldMeta, WorldTier,
};
pub use decode::{Decode, Decoded, Text, decode};
pub use document::{Document, DocumentKind, check, document_kind, list_items, read_document};
pub use edit::{EditError, EditedText};
pub use edited::EditedDocument;
pub use envelope::{
    CreateGenerationRequest, Draft, NeededTemplate, SimpleImageToVideoRequest, SocialContextRequest,
};
pub use explain::{Difference, explain};
pub use finding::{Finding, Refusal, Report, Severity, Status};
pub use fingerprint::{
    BandTrail, CONTRACT_VERSION, Fingerprint, Hash, Hashes, fingerprint, integer_seed,
};
pub use id::Id;
pub use identity::{FieldPolicy, Policy, field_policies};
pub use json::locate::{Located, locate};
pub use json::number::{Integer, Number};
pub use json::value::{Map, Value};
pub use json::write::{NotJson, to_json};
pub use key::{CacheKeyParts, NotACacheKey, Scope, parse_cache_key};
pub use lifecycle::GenerationStatus;
pub use operation::{Operation, OperationRow, generation_operations};
pub use parts::{NodeParts, build_social_context};
pub use plan::{
    ANYONE, NodeKind, Plan, PlanCause, PlanChange, PlanCounts, PlanDocument, PlanInvalidated,
    PlanNode, PlanPart, PlanResult, PlanSide, PlanTotal, SharedCause, plan,
};
pub use price::{Estimate, PriceRow, PriceTable, estimate_price, prices};
pub use prompt::{prompt_variables, render_prompt};
pub use provider::{AnyValue, ParameterType, ProviderInfo, ProviderParameter, providers};
pub use rating::{Band, BoundBy, Bounds, BoundsOption, Rating, RatingTrail};
pub use rebound::{OwnBounds, Rebound, rebound};
pub use request::{
    GenerateContentRequest, InputRef, InputRole, NpcResponseParams, OldPromptConfig, TemplateRef,
};
pub use reroute::rerouted;
pub use review::review;
pub use scene::{
    GenerationEdgeMeta, GenerationNode, Items, NodeItem, SceneEdge, SceneFile, SceneLink,
};
pub use seed::Seed;
pub use social::{GenerationSocialContext, RelationshipValues};
pub use validate::validate;
pub use words::{
    ArtStyle, FallbackMode, FilmRating, FusionKind, GenerationType, MediaType, Pacing, Purpose,
    QualityPreset, SeedSource, Strategy, TransitionType, VariableType,
};
