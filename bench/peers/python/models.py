"""The wire types as pydantic models: strict, and unknown fields refused.

Only what belongs to the game (session, world, user) may hold fields that are not named here.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Rating = Literal["sfw", "romantic", "mature_implied", "restricted"]
Strategy = Literal["once", "per_playthrough", "per_player", "always"]
OpenMap = dict[str, Any]
Id = Annotated[str, Field(min_length=1)] | int
# A plain float would turn 5 into 5.0, and with it the text that is hashed.
Number = int | float


class Model(BaseModel):
    """camelCase on the wire, unknown fields refused."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


class GameModel(BaseModel):
    """snake_case on the wire, further fields ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Style(Model):
    # Provider blocks are open maps beside the four names.
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, OpenMap]

    mood_from: str | None = None
    mood_to: str | None = None
    pacing: Literal["slow", "medium", "fast"] | None = None
    transition_type: Literal["gradual", "abrupt"] | None = None


class Duration(Model):
    min: Number | None = None
    max: Number | None = None
    target: Number | None = None


class Constraints(Model):
    rating: Literal["G", "PG", "PG-13", "R"] | None = None
    required_elements: list[str] | None = None
    avoid_elements: list[str] | None = None
    content_rules: list[str] | None = None


class Fallback(Model):
    mode: Literal["default_content", "skip", "retry", "placeholder"] | None = None
    default_content_id: Id | None = None
    max_retries: int | None = None
    timeout_ms: int | None = None


class SocialContext(Model):
    intimacy_level_id: str | None = None
    relationship_tier_id: str | None = None
    intimacy_band: Literal["none", "light", "deep", "intense"] | None = None
    content_rating: Rating | None = None
    world_max_rating: Rating | None = None
    user_max_rating: Rating | None = None
    npc_ids: list[Id] | None = None
    relationship_values: dict[str, Number] | None = None


class FusionAsset(Model):
    ref: str
    name: str | None = None
    kind: Literal["subject", "background"] | None = None


class Config(Model):
    generation_type: (
        Literal[
            "transition",
            "variation",
            "dialogue",
            "environment",
            "npc_response",
            "text_to_image",
            "text_to_video",
            "image_to_video",
            "image_edit",
            "video_extend",
            "fusion",
        ]
        | None
    ) = None
    purpose: Literal["gap_fill", "variation", "adaptive", "ambient"] | None = None
    style: Style | None = None
    duration: Duration | None = None
    constraints: Constraints | None = None
    strategy: Strategy | None = None
    seed_source: Literal["playthrough", "player", "timestamp", "fixed"] | None = None
    fallback: Fallback | None = None
    social_context: SocialContext | None = None
    enabled: bool | None = None
    version: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    prompts: list[str] | None = None
    image_url: str | None = None
    image_urls: list[str] | None = None
    video_url: str | None = None
    original_video_id: Id | None = None
    fusion_assets: list[FusionAsset] | None = None
    template_id: str | int | None = None
    template_version_id: str | int | None = None
    variables: OpenMap | None = None
    seed: str | int | None = None


class Relationship(GameModel):
    # The stored ids come in both spellings; these are the ones a game writes.
    affinity: Number = 0
    trust: Number = 0
    chemistry: Number = 0
    tension: Number = 0
    intimacy_level_id: str | None = Field(None, alias="intimacyLevelId")
    level_id: str | None = Field(None, alias="levelId")
    relationship_tier_id: str | None = Field(None, alias="relationshipTierId")
    tier_id: str | None = Field(None, alias="tierId")
    affinity_tier_id: str | None = Field(None, alias="affinityTierId")


class SessionStats(GameModel):
    relationships: dict[str, Relationship] | None = None


class Session(GameModel):
    id: Id
    user_id: Id
    scene_id: Id | None = None
    current_node_id: Id | None = None
    flags: OpenMap | None = None
    stats: SessionStats | None = None
    world_time: Number | None = None
    version: int | None = None


class WorldGeneration(GameModel):
    max_content_rating: Rating | None = Field(None, alias="maxContentRating")
    default_strategy: Strategy | None = Field(None, alias="defaultStrategy")


class WorldMeta(GameModel):
    generation: WorldGeneration | None = None


class World(GameModel):
    id: Id | None = None
    name: str | None = None
    meta: WorldMeta | None = None
    world_time: Number | None = None


class User(GameModel):
    id: Id
    max_content_rating: Rating | None = Field(None, alias="maxContentRating")
    reduce_romantic_intensity: bool | None = Field(None, alias="reduceRomanticIntensity")


class Npc(Model):
    id: Id
    name: str
    base_image: str | None = None
    expression: str | None = None
    emotion: str | None = None
    animation: str | None = None
    intensity: Number | None = None
    art_style: Literal["anime", "realistic", "semi-realistic"] | None = None
    loras: list[str] | None = None


class Scene(Model):
    id: Id
    mood: str | None = None
    summary: str | None = None
    location: str | None = None
    emotional_state: str | None = None


class PlayerContext(Model):
    playthrough_id: Id | None = None
    player_id: Id | None = None
    choices: OpenMap | None = None
    flags: OpenMap | None = None
    stats: OpenMap | None = None


class Options(Model):
    session: Session
    world: World | None = None
    user: User | None = None
    npc_ids: list[Id] | None = None
    npcs: list[Npc] | None = None
    player_context: PlayerContext | None = None
    provider_id: Id | None = None
    from_scene: Scene | None = None
    to_scene: Scene | None = None
    prompt: str | None = None
    seed: str | int | None = None


class Work(Model):
    """One line of the payload."""

    config: Config
    options: Options
