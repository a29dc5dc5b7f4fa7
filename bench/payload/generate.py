#!/usr/bin/env python3
"""Write the inputs of the benchmarks. The same call always writes the same bytes.

    generate.py path [OUT]        64 lines {"config", "options"}: one realistic node in 64 variants
                                  (default OUT: path.jsonl beside this file, which is committed)
    generate.py configs N OUT     N lines, each one bare node config, for validating in bulk

The variants differ in values, not in shape, so that every peer meets the same fields each time
while no cache can learn the answer. A bare config also brings what the context of a full request
would give (an image, a social context), so that checking it alone finds nothing to say.
"""

import argparse
import json
import pathlib
import sys

VARIANTS = 64

# (id, name, picture): "é" and "猫" stand for the text beyond ASCII that real projects hold.
CAST = [
    ("12", "Mira Okafor", "asset:npc_mira_v3"),
    ("13", "Jonas Brandt", "asset:npc_jonas_v1"),
    ("17", "Zoé Lambert", "asset:npc_zoe_v2"),
    ("21", "Kenji Sato", "asset:npc_kenji_v4"),
    ("34", "Aria Vance", "asset:npc_aria_v2"),
    ("35", "Tomás Rey", "asset:npc_tomas_v1"),
    ("48", "Priya Nair", "asset:npc_priya_v5"),
    ("52", "Lena Fischer", "asset:npc_lena_v3"),
]
MOODS = ["tense", "calm", "playful", "wistful", "hopeful", "guarded", "warm", "curious"]
EMOTIONS = ["relieved", "nervous", "amused", "thoughtful", "proud", "tired", "eager", "shy"]
EXPRESSIONS = ["soft_smile", "raised_brow", "lowered_eyes", "open_laugh", "pressed_lips", "neutral"]
# Slow together with abrupt would be a finding (style/abrupt-and-slow).
PACES = [("slow", "gradual"), ("medium", "gradual"), ("medium", "abrupt"), ("fast", "abrupt")]
PLACES = [
    "Café Lumière, corner table",
    "harbour promenade after rain",
    "rooftop greenhouse",
    "night market, 猫 lantern stall",
    "old tram depot",
    "library reading room",
    "train compartment, window seat",
    "garden behind the observatory",
]
WEATHER = ["steady rain", "late evening sun", "thin morning fog", "first snow", "warm street light"]
SUMMARIES = [
    "They meet again after the argument at the festival and neither wants to speak first.",
    "The letter has been found, and both know who must have hidden it.",
    "A quiet hour before departure; the luggage is packed and the tickets are on the table.",
    "The rehearsal went wrong, yet everybody stayed to help with the stage.",
    "An old photograph falls out of the book and changes the subject.",
    "The power is out in the whole quarter and only candles are left.",
]
OPENINGS = [
    "{name} leans on the counter at the {place} and listens before answering.",
    "{name} turns away from the window of the {place} and looks straight at the player.",
    "{name} puts the cup down at the {place}, takes a breath and begins to explain.",
    "{name} walks two steps ahead at the {place}, then stops and waits for the player.",
]
GESTURES = [
    "The answer is short and honest, with a hand resting on the old photograph.",
    "A small laugh breaks the silence; the shoulders relax and the gaze softens.",
    'The reply begins with "not here", half whispered, and ends in a nod towards the door.',
    "The hands keep folding a paper tram ticket while the words come slowly.",
    "The expression changes from doubt to relief as the music next door starts again.",
    "A black cat (猫) crosses the frame and both of them follow it with their eyes.",
]
LIGHTS = [
    "Soft {weather} comes from the left, shallow depth of field, natural skin tones, 35 mm look.",
    "Lit by {weather}, muted colours, gentle film grain, steady hand-held camera at eye level.",
    "Wide shot first, {weather} in the background, then a slow push in to a medium close-up.",
]
CLOSINGS = [
    "Keep the costume of the previous scene and end on a held look that leaves room for a choice.",
    "End on a calm frame that can loop, with both people still in view and the exit visible.",
    "The last second is nearly still, so that the dialogue box can open without covering a face.",
]
NEGATIVES = [
    "blurry, extra fingers, deformed hands, text, watermark, logo, harsh flash, crossed eyes",
    "low quality, jitter, duplicated people, melted background, subtitles, frame border, neon tint",
    "oversaturated, plastic skin, warped furniture, flicker, sudden zoom, mirrored letters",
]
REQUIRED = ["eye contact", "blue scarf", "paper ticket", "candle", "café cup", "window", "photograph"]
AVOID = ["crowd", "weapons", "alcohol", "smoke", "mirrors", "brand logos", "phones", "blood"]
RULES = [
    "no readable text in the picture",
    "faces stay visible for the whole clip",
    "no physical contact beyond holding hands",
    "clothing stays as in the reference picture",
    "no jump cuts inside one reply",
]


class Draw:
    """SplitMix64. The helpers of `random` have drawn differently between Python versions."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        """An integer in 0..bound."""
        mask = 0xFFFF_FFFF_FFFF_FFFF
        self.state = (self.state + 0x9E37_79B9_7F4A_7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & mask
        return (z ^ (z >> 31)) % bound

    def one(self, words):
        return words[self.below(len(words))]

    def some(self, words, count):
        """`count` neighbours of the list, without repeats."""
        start = self.below(len(words))
        return [words[(start + i) % len(words)] for i in range(count)]


def prompt(draw, name, sentences):
    parts = [
        draw.one(OPENINGS).format(name=name, place=draw.one(PLACES)),
        *draw.some(GESTURES, sentences - 3),
        draw.one(LIGHTS).format(weather=draw.one(WEATHER)),
        draw.one(CLOSINGS),
    ]
    return " ".join(parts)


def node_config(draw, index, name, sentences):
    pacing, transition = draw.one(PACES)
    shortest = 2 + draw.below(8) / 2
    shortest = int(shortest) if shortest.is_integer() else shortest  # 2 and 2.5, as people write
    return {
        "generationType": "npc_response",
        "purpose": "adaptive",
        "style": {
            "moodFrom": draw.one(MOODS),
            "moodTo": draw.one(MOODS),
            "pacing": pacing,
            "transitionType": transition,
        },
        "duration": {
            "min": shortest,
            "max": shortest + 5 + draw.below(5),
            "target": shortest + 1 + draw.below(4),
        },
        "constraints": {
            "rating": "R",
            "requiredElements": draw.some(REQUIRED, 4),
            "avoidElements": draw.some(AVOID, 6),
            "contentRules": draw.some(RULES, 3),
        },
        "strategy": "per_playthrough",
        "seedSource": "playthrough",
        "fallback": {
            "mode": "default_content",
            "defaultContentId": f"clip_idle_{1000 + index}",
            "maxRetries": 1 + draw.below(4),
            "timeoutMs": 5000 * (1 + draw.below(8)),
        },
        "enabled": True,
        "version": 1 + draw.below(12),
        "prompt": prompt(draw, name, sentences),
        "negativePrompt": draw.one(NEGATIVES),
    }


def relationship(draw):
    # Affinity stays below 80: from there the band may be intense, which is a finding.
    return {
        "affinity": 10 + draw.below(70),
        "trust": 5 + draw.below(80),
        "chemistry": 5 + draw.below(80),
        "tension": draw.below(40),
    }


def scene(draw, scene_id):
    return {
        "id": scene_id,
        "mood": draw.one(MOODS),
        "summary": draw.one(SUMMARIES),
        "location": draw.one(PLACES),
        "emotionalState": draw.one(EMOTIONS),
    }


def options(draw, index, cast):
    npc_id, name, picture = cast[0]
    player = 7000 + draw.below(2000)
    current = 200 + draw.below(600)
    return {
        "session": {
            "id": 10_000 + 37 * index,
            "user_id": player,
            "scene_id": current,
            "current_node_id": 4000 + draw.below(4000),
            "flags": {
                "met_mira": draw.below(2) == 1,
                "found_letter": draw.below(2) == 1,
                "day": 1 + draw.below(30),
                "route": draw.one(["harbour", "festival", "observatory"]),
            },
            "stats": {"relationships": {f"npc:{other[0]}": relationship(draw) for other in cast}},
            "world_time": 3600 * draw.below(2000) + draw.below(3600),
            "version": 1 + draw.below(90),
        },
        "world": {
            "id": 3,
            "name": "Lantern Bay",
            "meta": {
                "generation": {
                    "maxContentRating": "mature_implied",
                    "defaultStrategy": "per_playthrough",
                }
            },
            "world_time": 3600 * draw.below(2000),
        },
        "user": {"id": player, "maxContentRating": "mature_implied"},
        "npcIds": [int(npc_id)],
        "npcs": [
            {
                "id": npc_id,
                "name": name,
                "baseImage": picture,
                "expression": draw.one(EXPRESSIONS),
                "emotion": draw.one(EMOTIONS),
            }
        ],
        "providerId": "local",
        "fromScene": scene(draw, f"scene_{current}"),
        "toScene": scene(draw, f"scene_{current + 1 + draw.below(9)}"),
    }


def path_line(index):
    draw = Draw(index)
    cast = draw.some(CAST, 3)
    config = node_config(draw, index, cast[0][1], sentences=6)
    return {"config": config, "options": options(draw, index, cast)}


def bare_config(index):
    draw = Draw(index)
    npc_id, name, picture = draw.one(CAST)
    config = node_config(draw, index, name, sentences=4)
    config["imageUrl"] = picture
    config["socialContext"] = {
        "intimacyLevelId": "light_flirt",
        "relationshipTierId": draw.one(["acquaintance", "friend", "close_friend"]),
        "intimacyBand": "light",
        "contentRating": "romantic",
        "npcIds": [npc_id],
    }
    return config


def write(path, values):
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.writelines(encode(value) + "\n" for value in values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    path = commands.add_parser("path", help="64 variants of one node with its context")
    path.add_argument("out", nargs="?", default=pathlib.Path(__file__).with_name("path.jsonl"))
    configs = commands.add_parser("configs", help="N bare node configs")
    configs.add_argument("count", type=int)
    configs.add_argument("out")
    args = parser.parse_args()
    if args.command == "path":
        write(args.out, map(path_line, range(VARIANTS)))
    else:
        write(args.out, map(bare_config, range(args.count)))


if __name__ == "__main__":
    sys.exit(main())
