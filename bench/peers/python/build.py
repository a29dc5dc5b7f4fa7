"""What the work costs without onepath: the request, its hashes and its key in plain Python.

The twin of node/build.mjs, with the same limits: an NPC's answer without template or placeholder,
and none of the semantic rules. For the payload both write the same text: their hashes are equal.
"""

import hashlib
import json
import re

from models import Config, Npc, Options, Relationship, Session

# (id, band, rating, least affinity, trust and chemistry, greatest tension); first match wins.
INFINITE = float("inf")
LEVELS = [
    ("soulmates", "intense", "mature_implied", 95, 90, 95, 10),
    ("very_intimate", "intense", "mature_implied", 80, 60, 80, INFINITE),
    ("intimate", "deep", "mature_implied", 60, 40, 60, INFINITE),
    ("deep_flirt", "deep", "romantic", 40, 20, 40, INFINITE),
    ("light_flirt", "light", "romantic", 20, -INFINITE, 20, INFINITE),
]
NO_LEVEL = (None, "none", "sfw")
LEVEL_BY_ID = {level[0]: level[:3] for level in LEVELS}

BANDS = ["none", "light", "deep", "intense"]
RATINGS = ["sfw", "romantic", "mature_implied", "restricted"]

# The provider of the payload declares no defaults.
PROVIDER_DEFAULTS = {"local": {}}


def level_of(entry: Relationship):
    stored = entry.intimacy_level_id or entry.level_id
    if stored:
        return LEVEL_BY_ID.get(stored, NO_LEVEL)
    for level in LEVELS:
        _, _, _, affinity, trust, chemistry, tension = level
        if (
            entry.affinity >= affinity
            and entry.trust >= trust
            and entry.chemistry >= chemistry
            and entry.tension <= tension
        ):
            return level[:3]
    return NO_LEVEL


def tier_of(entry: Relationship) -> str:
    stored = entry.relationship_tier_id or entry.tier_id or entry.affinity_tier_id
    if stored:
        return stored
    if entry.affinity >= 80:
        return "lover"
    if entry.affinity >= 60:
        return "close_friend"
    if entry.affinity >= 30:
        return "friend"
    if entry.affinity >= 10:
        return "acquaintance"
    return "stranger"


def social_context(session: Session, npc_ids: list[str]) -> dict:
    """The highest band names level and tier (the first NPC on a tie); the highest rating counts."""
    relationships = (session.stats and session.stats.relationships) or {}
    best = NO_LEVEL
    rating = NO_LEVEL[2]
    tier = None
    for npc_id in npc_ids:
        entry = relationships.get(f"npc:{npc_id}")
        if entry is None:
            continue
        level = level_of(entry)
        if tier is None or BANDS.index(level[1]) > BANDS.index(best[1]):
            best = level
            tier = tier_of(entry)
        if RATINGS.index(level[2]) > RATINGS.index(rating):
            rating = level[2]
    return present(
        intimacyLevelId=best[0],
        relationshipTierId=tier,
        intimacyBand=best[1],
        contentRating=rating,
        npcIds=npc_ids,
    )


def present(**members) -> dict:
    """The members that are there: `None` is absent."""
    return {name: value for name, value in members.items() if value is not None}


def plain(model) -> dict | None:
    return model and model.model_dump(by_alias=True, exclude_none=True)


def npc_params(npc_id: str, npc: Npc | None) -> dict:
    if npc is None:
        npc = Npc(id=npc_id, name=f"NPC {npc_id}")
    return present(
        npc_id=npc_id,
        npc_name=npc.name,
        npc_base_image=npc.base_image,
        expression=npc.expression or "neutral",
        emotion=npc.emotion or "neutral",
        animation=npc.animation or "idle",
        intensity=0.5 if npc.intensity is None else npc.intensity,
        art_style=npc.art_style,
        loras=npc.loras,
    )


def inputs(config: Config, npc: Npc | None) -> list[dict]:
    images = [config.image_url] if config.image_url else []
    images += config.image_urls or []
    if images:
        return [{"role": "image", "ref": ref} for ref in images]
    if npc is not None and npc.base_image:
        return [{"role": "npc_base", "ref": npc.base_image}]
    return []


def bound(rating: str | None) -> str:
    return rating or "romantic"


def build_request(config: Config, options: Options) -> dict:
    """The request of a checked config and its checked context."""
    session = options.session
    player = options.player_context
    npc_ids = [str(npc_id) for npc_id in options.npc_ids or []]
    npc_id = npc_ids[0] if npc_ids else None
    npc = next((one for one in options.npcs or [] if str(one.id) == npc_id), None)
    style = plain(config.style)
    block = style.pop(options.provider_id, None) if style else None
    defaults = PROVIDER_DEFAULTS.get(options.provider_id)
    generation = options.world and options.world.meta and options.world.meta.generation
    return present(
        type=config.generation_type,
        purpose=config.purpose,
        version=1 if config.version is None else config.version,
        strategy=config.strategy,
        from_scene=plain(options.from_scene),
        to_scene=plain(options.to_scene),
        style=style,
        duration=plain(config.duration),
        constraints=plain(config.constraints),
        fallback=plain(config.fallback),
        player_context=present(
            playthroughId=str((player and player.playthrough_id) or session.id),
            playerId=str((player and player.player_id) or session.user_id),
            choices=player and player.choices,
            flags=(player and player.flags) or session.flags,
            stats=player and player.stats,
        ),
        social_context=plain(config.social_context) or social_context(session, npc_ids),
        npc_params=None if npc_id is None else npc_params(npc_id, npc),
        provider_id=options.provider_id,
        provider_settings=defaults if block is None else {**(defaults or {}), **block},
        bounds={
            "world": bound(generation and generation.max_content_rating),
            "user": bound(options.user and options.user.max_content_rating),
        },
        prompt=options.prompt or config.prompt,
        negative_prompt=config.negative_prompt,
        prompts=config.prompts,
        inputs=inputs(config, npc),
        seed=config.seed if options.seed is None else options.seed,
    )


# Made once: json.dumps with these settings would make a new encoder for every call.
canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


ODD_BYTE = re.compile(rb"[^!-$&-{}~]")


def escape_id(value: str | int | None) -> str:
    """An id inside a cache key: `%`, `|` and all but visible ASCII become `%XX`."""
    if value is None:
        return "-"
    if value == "-":
        return "%2D"
    return ODD_BYTE.sub(lambda odd: b"%%%02X" % odd[0][0], str(value).encode()).decode()


def scope_of(request: dict) -> str:
    if request["strategy"] == "per_playthrough":
        return "pt:" + escape_id(request["player_context"]["playthroughId"])
    if request["strategy"] == "per_player":
        return "player:" + escape_id(request["player_context"]["playerId"])
    return "-"


def fingerprint(request: dict) -> tuple[str, str]:
    """Request hash and cache key. Without a seed of its own a request varies with its scope."""
    seed = request.pop("seed", None)
    scope = scope_of(request)
    family = sha256(canonical(request))
    request_hash = sha256(canonical([family, scope if seed is None else str(seed)]))
    from_scene = escape_id(request.get("from_scene", {}).get("id"))
    to_scene = escape_id(request.get("to_scene", {}).get("id"))
    tail = (family if seed is None else request_hash)[:32]
    cache_key = (
        f"generation:{request['type']}|{request['purpose']}|{from_scene}|{to_scene}"
        f"|{request['strategy']}|{scope}|v{request['version']}|{tail}"
    )
    return request_hash, cache_key
