"""fal's client for Python: one wish at the fake behind FAL_ORIGIN; prints what came of it."""

import json
import os

import fal_client
from fal_client import client

client.QUEUE_URL_FORMAT = os.environ["FAL_ORIGIN"] + "/"

try:
    value = fal_client.subscribe("fal-ai/nano-banana", arguments={"prompt": os.environ["PROMPT"]})
    print(json.dumps({"value": value}))
except Exception as error:  # whatever it raises is the measurement
    print(json.dumps({"error": type(error).__name__, "message": str(error)}))
