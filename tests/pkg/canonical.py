"""Canonical text and hashes of the golden vectors, worked out again by code that is not ours.

The vectors are also answered through the package, so what holds here holds for it.
"""

import hashlib
import json
import sys

import rfc8785


def sha(tag: str, text: bytes) -> str:
    return hashlib.sha256(tag.encode() + b"\n" + text).hexdigest()


def whole(text: str):
    """Beyond 2^53 a number of JSON is a double, as in JavaScript."""
    number = int(text)
    return number if abs(number) < 2**53 else float(number)


passed = failed = 0
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        case = json.loads(line, parse_int=whole)
        if "identity" not in case:
            continue
        print_ = case["fingerprint"]
        text = rfc8785.dumps(case["identity"])
        family = sha("onepath/v1/family", text)
        pair = [family] + ([print_["seed"]] if "seed" in print_ else [])
        request = sha("onepath/v1/request", rfc8785.dumps(pair))
        same = (
            text.decode() == case["canonical"]
            and family == print_["family_hash"]
            and request == print_["request_hash"]
        )
        if same:
            passed += 1
        else:
            failed += 1
            print(f"not ok: {case['name']}")
verdict = "ok" if failed == 0 and passed > 250 else "FAILED"
print(f"test result: {verdict}. {passed} passed; {failed} failed")
sys.exit(0 if verdict == "ok" else 1)
