"""One peer process. `peer.py PAYLOAD` reads commands from stdin, one a line:

    list      answers the names of the forms, separated by spaces
    check     answers `check NAME=DIGEST ...`: one digest of all hashes and keys for each form;
              those of all peers, the Node ones too, must be equal, or their times are not those
              of the same work
    NAME N    runs N operations of a form and answers `NAME CPU_NS_PER_OP`

The driver interleaves its rounds over several such processes and does the warming up.
"""

import hashlib
import json
import sys
import time
from itertools import cycle, islice
from pathlib import Path

from build import build_request, fingerprint
from models import Work


def from_text(text: bytes) -> tuple[str, str]:
    work = Work.model_validate_json(text)
    return fingerprint(build_request(work.config, work.options))


def from_value(value: dict) -> tuple[str, str]:
    work = Work.model_validate(value)
    return fingerprint(build_request(work.config, work.options))


def measure(run, inputs: list, count: int) -> int:
    before = time.process_time_ns()
    for value in islice(cycle(inputs), count):
        run(value)
    return round((time.process_time_ns() - before) / count)


def digest(run, inputs: list) -> str:
    results = hashlib.sha256()
    for value in inputs:
        request_hash, cache_key = run(value)
        results.update(f"{request_hash} {cache_key}\n".encode())
    return results.hexdigest()[:16]


def main() -> None:
    texts = Path(sys.argv[1]).read_bytes().splitlines()
    values = [json.loads(text) for text in texts]
    forms = {
        "pydantic-text": (from_text, texts),
        "pydantic-value": (from_value, values),
    }
    for line in sys.stdin:
        match line.split():
            case ["list"]:
                print(*forms, flush=True)
            case ["check"]:
                digests = (f"{name}={digest(*form)}" for name, form in forms.items())
                print("check", *digests, flush=True)
            case [name, count] if name in forms:
                print(name, measure(*forms[name], int(count)), flush=True)
            case _:
                sys.exit(f"no such command: {line.strip()}")


if __name__ == "__main__":
    main()
