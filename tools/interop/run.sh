#!/usr/bin/env bash
# Others' load tools and a router against our server, over loopback, until each has had all its answers.
# usage: tools/interop/run.sh PEERS SCRIPTS [WORK]
#   PEERS    what the peers' setup.sh filled (vLLM and its client; the tokenizer folder smollm2-bf16)
#   SCRIPTS  where vllm_cli.py is
#   WORK     where guidellm and vllm-router are installed, each in an environment of its own, and figures are left
set -euo pipefail

GUIDELLM=0.8.1
ROUTER=0.1.17
MODEL=smollm2-bf16
REQUESTS=64

root=$(cd "$(dirname "$0")/../.." && pwd)
peers=$(cd "${1:?usage: run.sh PEERS SCRIPTS [WORK]}" && pwd)
scripts=$(cd "${2:?usage: run.sh PEERS SCRIPTS [WORK]}" && pwd)
work=${3:-${CHUNKLLAMA_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/chunkllama}/interop}
mkdir -p "$work"
work=$(cd "$work" && pwd)
export HF_HUB_OFFLINE=1

started=()
stop() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait || true
}
trap stop EXIT

fail() {
  printf 'FAIL %s\n' "$*"
  exit 1
}

# A virtual environment with one package, made once.
environment() {
  local folder=$work/$1-$2
  if [ ! -e "$folder/ready" ]; then
    python3 -m venv "$folder"
    "$folder/bin/pip" install -q --disable-pip-version-check "$1==$2"
    touch "$folder/ready"
  fi
  printf '%s\n' "$folder/bin"
}

# Starts a server on a free port; its address in $url.
serve() {
  local log=$work/serve-$1.log
  "$root/chunkllama" serve --port 0 --served-model-name "$MODEL" --kv-memory 512m --no-access-log 2>"$log" &
  started+=($!)
  for _ in $(seq 300); do
    url=$(sed -n 's/.*serving at \(http:[^;]*\);.*/\1/p' "$log")
    [ -n "$url" ] && return
    kill -0 "${started[-1]}" 2>/dev/null || break
    sleep 0.2
  done
  fail "the server did not start: $(cat "$log")"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# vLLM's client: one prefix of 2,000 tokens.
vllm_bench() {
  local name=$1 target=$2 out=$work/$1.json
  rm -f "$out"
  (cd "$peers" && timeout 300 venv/bin/python "$scripts/vllm_cli.py" bench serve --backend openai --base-url "$target" \
    --model "$MODEL" --tokenizer "$MODEL" --ignore-eos --dataset-name prefix_repetition \
    --prefix-repetition-prefix-len 2000 --prefix-repetition-suffix-len 32 --prefix-repetition-num-prefixes 1 \
    --prefix-repetition-output-len 64 --num-prompts "$REQUESTS" --request-rate 4 --seed "$3" --disable-tqdm \
    --save-result --result-dir "$work" --result-filename "$name.json") >"$work/$name.log" 2>&1 ||
    fail "$name: $(tail -n 5 "$work/$name.log")"
  python3 - "$out" "$REQUESTS" "$name" <<'PY'
import json, sys
figures = json.load(open(sys.argv[1]))
asked = int(sys.argv[2])
line = f"{sys.argv[3]}: {figures['completed']} of {asked} completed, TTFT median {figures['median_ttft_ms']:.0f} ms, " \
       f"TPOT median {figures['median_tpot_ms']:.1f} ms"
good = figures["completed"] == asked and figures.get("failed", 0) == 0
print("ok  " if good else "FAIL", line)
sys.exit(not good)
PY
}

answered() {
  curl -fsS "$1/metrics" | awk '/^vllm:generation_tokens_total/ { print int($2) }'
}

guidellm=$(environment guidellm "$GUIDELLM")
router=$(environment vllm-router "$ROUTER")
"$root/chunkllama" --version >/dev/null # builds what is stale
serve one
one=$url
serve two
two=$url

vllm_bench vllm-bench-serve "$one" 5

out=$work/guidellm.json
rm -f "$out"
timeout 300 "$guidellm/guidellm" run \
  --backend "kind=openai_http,target=$one,model=$MODEL,request_format=/v1/completions" \
  --tokenizer "kind=huggingface_auto,model=$peers/$MODEL" \
  --data "kind=synthetic_text,prompt_tokens=32,output_tokens=64,prefix_tokens=1000,prefix_count=1" \
  --profile kind=concurrent,streams=8 --constraint "kind=max_requests,count=$REQUESTS" \
  --output "kind=json,path=$out" --disable-progress >"$work/guidellm.log" 2>&1 || fail "guidellm: $(tail -n 5 "$work/guidellm.log")"
python3 - "$out" "$REQUESTS" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
totals = report["benchmarks"][0]["metrics"]["request_totals"]
good = totals["successful"] == int(sys.argv[2]) and totals["errored"] == 0
print("ok  " if good else "FAIL", f"guidellm: {totals['successful']} successful, {totals['errored']} errored")
sys.exit(not good)
PY

port=$(free_port)
"$router/vllm-router" --worker-urls "$one" "$two" --policy round_robin --host 127.0.0.1 --port "$port" \
  --prometheus-port "$(free_port)" >"$work/router.log" 2>&1 &
started+=($!)
routed=http://127.0.0.1:$port
for _ in $(seq 150); do curl -fsS "$routed/health" >/dev/null 2>&1 && break; sleep 0.2; done
before=$(answered "$two")
vllm_bench vllm-router "$routed" 6
[ "$(answered "$two")" -gt "$before" ] || fail "vllm-router sent the second server nothing"
events=$(curl -fsSN "$routed/v1/chat/completions" -H 'Content-Type: application/json' \
  -d "{\"model\":\"$MODEL\",\"stream\":true,\"max_tokens\":16,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}" | grep -c '^data: ')
[ "$events" -gt 3 ] || fail "vllm-router streamed $events events"
printf 'ok   vllm-router streams: %s events\n' "$events"
