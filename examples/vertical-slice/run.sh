#!/usr/bin/env bash
# The whole way with curl: a picture and a wish go in, a fake of Replicate makes two variants of them
# and reports that over a webhook, and the files come out. No account, no network.
#
#   examples/vertical-slice/run.sh [FOLDER]
#
# FOLDER gets what was made (a new one under /tmp if absent). ONEPATH names the command (`onepath` if
# absent), PORT the server's port (7700 if absent).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
onepath=${ONEPATH:-onepath}
port=${PORT:-7700}
out=${1:-$(mktemp -d /tmp/onepath-slice.XXXXXX)}
mkdir -p "$out"

started=()
trap 'kill "${started[@]}" 2>/dev/null || true; wait 2>/dev/null || true' EXIT

# A line of a program's output, as soon as it is there.
line() { # FILE PATTERN
  for _ in $(seq 300); do
    grep -m1 "$2" "$1" 2>/dev/null && return
    sleep 0.1
  done
  echo "there is no \`$2\` in $1" >&2
  cat "$1" >&2
  return 1
}
# A member of a JSON object whose value is a text or a number.
member() { # NAME
  grep -o "\"$1\":\(\"[^\"]*\"\|[a-z0-9]*\)" | head -1 | sed -e 's/^[^:]*://' -e 's/^"//' -e 's/"$//'
}

# A provider that stands in for Replicate: two pictures for each wish, after half a second.
"$onepath" fake replicate --switches '{"output": "list", "takes_ms": 500}' >"$out/fake.log" 2>&1 &
started+=($!)
fake=$(line "$out/fake.log" '^fake replicate' | cut -d' ' -f3)

# The server. The public URL is where the provider reports to.
REPLICATE_API_TOKEN=r8_none REPLICATE_API_URL=$fake ONEPATH_DEV_KEY=slice \
  "$onepath" serve --dev --data "$out/data" --listen "127.0.0.1:$port" \
  --public-url "http://127.0.0.1:$port" >"$out/serve.log" 2>&1 &
started+=($!)
line "$out/serve.log" '^onepath serves' >/dev/null
api=http://127.0.0.1:$port/api/v1
call() { curl --silent --show-error --fail-with-body -H 'Authorization: Bearer slice' "$@"; }

# 1. Submit: the wish as JSON, the picture as a part of its own, and a key under which the same call
#    is the same generation however often it is sent.
wish='{
  "provider_id": "replicate",
  "config": {
    "generationType": "image_edit", "purpose": "ambient", "strategy": "once",
    "prompt": "the quay at night", "imageUrls": ["input1"], "fallback": { "mode": "retry" }
  }
}'
submit() { call -H 'Idempotency-Key: 1' -F "envelope=$wish" -F "input1=@$here/quay.png" "$api/generations"; }
submit >"$out/accepted.json"
id=$(member id <"$out/accepted.json")
echo "accepted $id: status $(member status <"$out/accepted.json"), predictionId $(member predictionId <"$out/accepted.json")"
submit | cmp - "$out/accepted.json" && echo "sent again: the same answer"

# 2. Wait: the fake reports over a webhook, and the server looks.
while :; do
  call "$api/generations/$id" >"$out/generation.json"
  status=$(member status <"$out/generation.json")
  case $status in completed | failed | cancelled) break ;; esac
  sleep 0.1
done
echo "$status, predictionId $(member predictionId <"$out/generation.json")"

# 3. Fetch: each variant has a URL that works without a key, and a small picture.
variants=$(grep -o '"variants":\[.*\]' "$out/generation.json")
number=0
for url in $(echo "$variants" | grep -o '"url":"[^"]*"' | sed 's/^"url":"//; s/"$//'); do
  curl --silent --show-error --fail "$url" --output "$out/variant-$number.png"
  echo "variant $number: $(wc -c <"$out/variant-$number.png") bytes"
  number=$((number + 1))
done
for url in $(echo "$variants" | grep -o '"thumbnail_url":"[^"]*"' | head -1 | sed 's/^"thumbnail_url":"//; s/"$//'); do
  curl --silent --show-error --fail "$url" --output "$out/small"
done
echo "charged $(curl --silent "${fake%/v1}/_fake/charges" | grep -o '"prediction"' | wc -l) time; everything is in $out"
[ "$status" = completed ] && [ "$number" = 2 ]
