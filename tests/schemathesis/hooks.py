"""For the stateful phase, which follows what was created: bodies that are taken in.

By chance alone hardly any create has all that it needs, and its ids (`provider_id`, `world_id`) look
like things that some operation should have made. So that phase runs on its own, with ONEPATH_STATEFUL
set, and draws creates from this list; everything else is as the document says.
"""

import os

import schemathesis


def creates():
    """Pictures that succeed, fail or never end, each shared or made anew."""
    for number, (settings, strategy) in enumerate(
        (settings, strategy)
        for settings in ({}, {}, {"fail": "param_invalid"}, {"fail": "hang"})
        for strategy in ("once", "per_player", "always")
    ):
        yield {
            "provider_id": "local",
            "player_context": {"playerId": "dev"},
            "config": {
                "generationType": "text_to_image",
                "purpose": "ambient",
                "strategy": strategy,
                "prompt": f"a lighthouse, number {number}",
                "style": {"local": {"width": 64, "height": 48, **settings}},
                "fallback": {"mode": "retry"},
            },
        }


def body(operation, choices):
    operation["requestBody"]["content"]["application/json"] = {"schema": {"enum": list(choices)}}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    # The program cannot judge a body that has bytes beside what depends on each other.
    create = raw_schema["paths"]["/api/v1/generations"]["post"]
    create["requestBody"]["content"].pop("multipart/form-data", None)
    if not os.environ.get("ONEPATH_STATEFUL"):
        return
    paths = raw_schema["paths"]
    body(paths["/api/v1/generations"]["post"], creates())
    body(
        paths["/api/v1/generations/simple-image-to-video"]["post"],
        [{"provider_id": "local", "prompt": "waves roll in", "image_url": "asset:1"}],
    )
    for path, operations in paths.items():
        for operation in operations.values():
            # What is over has an asset, and may be tried again.
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "Prefer":
                    parameter["schema"] = {"enum": ["wait=3", "wait=0"]}
            # One player, and no answer from before.
            operation["parameters"] = [
                parameter
                for parameter in operation.get("parameters", [])
                if parameter["name"] not in ("onepath-user", "Idempotency-Key")
            ]
