//! Short ways: the social context of a moment, and a picture that shall move.

use onepath_core::{
    BuildOptions, CreateGenerationRequest, GenerationSocialContext, Id, SimpleImageToVideoRequest,
    SocialContextRequest, User, build_social_context, decode, to_json,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::create::{Answered, Call};
use super::plan::{own_world, world_id};
use super::view::PreflightBounds;
use super::{Caller, Service};
use crate::problem::{Fault, Problem, ProblemCode};

/// How a player stands to the npcs of a moment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SocialContextResponse {
    /// As asked: what is built with it is bounded again.
    #[schemars(with = "GenerationSocialContext<'static>")]
    pub social_context: serde_json::Value,
    /// What the server allows here.
    pub bounds: PreflightBounds,
}

impl Service {
    /// The social context of a moment, from the server's own world and user and the session given.
    ///
    /// # Errors
    ///
    /// `MALFORMED_JSON`, and `VALIDATION_ERROR` with every fault.
    pub async fn social_context(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<SocialContextResponse, Problem> {
        let read = decode::<SocialContextRequest<'_>>(text).into_result();
        let wish = read.map_err(|refusal| Problem::unread(text, refusal.findings()))?;
        if wish.session.is_none() && wish.session_id.is_some() {
            let mut fault = Fault::new(
                "/session",
                "envelope/session-missing",
                "the game keeps its sessions: a `session_id` alone says nothing here",
            );
            fault.help = Some("send `session` with its `stats`".to_owned());
            return Err(Problem::faults(vec![fault]));
        }
        let named = CreateGenerationRequest { world_id: wish.world_id, ..Default::default() };
        let standing = self.standing(caller, world_id(&named)).await?;
        let world = own_world(&named, &standing)?.and_then(|envelope| envelope.world);
        let mut user: User<'_> = wish.user.unwrap_or_default();
        if standing.reduce_intensity {
            user.reduce_romantic_intensity = Some(true);
        }
        let options = BuildOptions {
            session: wish.session,
            world,
            user: Some(user),
            npc_ids: wish.npc_ids,
            ..BuildOptions::default()
        };
        let built = build_social_context(&options)
            .map_err(|refusal| Problem::findings(refusal.findings()))?;
        let social_context = serde_json::to_value(&built)
            .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
        let bounds = PreflightBounds { world: standing.bounds.world, user: standing.bounds.user };
        Ok(SocialContextResponse { social_context, bounds })
    }

    /// Has a picture moved, through the same builder as everything else.
    ///
    /// # Errors
    ///
    /// As a create.
    pub async fn simple_image_to_video(
        &self,
        caller: &Caller,
        text: &str,
        call: Call,
    ) -> Result<Answered, Problem> {
        let read = decode::<SimpleImageToVideoRequest<'_>>(text).into_result();
        let wish = read.map_err(|refusal| Problem::unread(text, refusal.findings()))?;
        let mut faults = Vec::new();
        let length =
            |text: Option<&std::borrow::Cow<'_, str>>| text.map_or(0, |text| text.chars().count());
        for (pointer, length, most) in [
            ("/provider_id", wish.provider_id.as_ref().map_or(0, |id| Id::as_str(id).len()), 50),
            ("/prompt", length(wish.prompt.as_ref()), 4096),
            ("/image_url", length(wish.image_url.as_ref()), 2048),
        ] {
            if !(1..=most).contains(&length) {
                let detail = format!("1 to {most} characters are wanted, {length} are given");
                faults.push(Fault::new(pointer, "envelope/length", detail));
            }
        }
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        let create = to_json(&wish.into_create())
            .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
        self.create(caller, &create, call).await.map_err(|mut problem| {
            // The caller knows nothing of a config.
            for fault in &mut problem.errors {
                if let Some(rest) = fault.pointer.strip_prefix("/config") {
                    fault.pointer = rest.replace("/imageUrl", "/image_url");
                }
            }
            problem
        })
    }
}
