"""lines.py FILE [--schema FILE] [--limit N]: checks JSON lines, one node config each, and prints
{"count", "invalid", "cpu_ns_per_item", "wall_ns_per_item"}. The times hold reading the file, not
starting Python or reading the schema.
"""

import argparse
import json
import time
from itertools import islice
from pathlib import Path

from jsonschema import Draft202012Validator

# The schema that the Node peers compile, so that both judge by the same words.
OWN_SCHEMA = Path(__file__).parent.parent / "node" / "schema" / "config.json"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--schema", type=Path, default=OWN_SCHEMA)
    parser.add_argument("--limit", type=int, default=5000)
    args = parser.parse_args()
    validator = Draft202012Validator(json.loads(args.schema.read_bytes()))

    def accepts(line: bytes) -> bool:
        try:
            return validator.is_valid(json.loads(line))
        except ValueError:
            return False

    cpu_before = time.process_time_ns()
    wall_before = time.perf_counter_ns()
    count = invalid = 0
    with args.file.open("rb") as lines:
        for line in islice(filter(bytes.strip, lines), args.limit):
            count += 1
            invalid += not accepts(line)
    cpu = time.process_time_ns() - cpu_before
    wall = time.perf_counter_ns() - wall_before

    result = {
        "count": count,
        "invalid": invalid,
        "cpu_ns_per_item": round(cpu / count),
        "wall_ns_per_item": round(wall / count),
    }
    print(json.dumps(result, separators=(",", ":")))


if __name__ == "__main__":
    main()
