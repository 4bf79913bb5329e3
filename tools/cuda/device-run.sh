#!/usr/bin/env bash
# On a machine with a GPU, beside what device-pack.sh packed, as run.sh:
#   run.sh tests [CLASS...]        the device tests (all, or these classes), by several processes
#   run.sh chunkllama ARGUMENTS... the command
# Tests: PROCESSES (as many as cores), TESTS_SECONDS (limit of a process, 900), JUNIT_OPTIONS (further
# options of JUnit's console launcher), WRAPPER (put before java, such as "compute-sanitizer --tool racecheck"),
# RUN (a new folder for logs). Ends with a table; status 1 if a test failed, was lost, or there is no GPU.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
java=("$here/jre/bin/java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED)

tests() {
  local classes=("$@") run=${RUN:-$(mktemp -d)} processes=${PROCESSES:-$(nproc)} begin=$SECONDS pids=() worst=0
  [ $# -gt 0 ] || classes=(CudaContractTest CudaQuantisedTest CudaFp16Test CudaFaultTest CudaBackendProviderTest)
  classes=("${classes[@]/#Cuda/org.chunkllama.cuda.Cuda}")
  [ $# -gt 0 ] || classes+=(org.chunkllama.parity.TransformersParityTest org.chunkllama.parity.Stories260KTest)
  mkdir -p "$run"
  for i in $(seq "$processes"); do
    # Each takes the next test that nobody has (SharedRun).
    CHUNKLLAMA_GPU_REQUIRED=1 CHUNKLLAMA_SHARED=$here timeout "${TESTS_SECONDS:-900}" ${WRAPPER:-} "${java[@]}" -Xmx6g -XX:+UseSerialGC ${JAVA_OPTIONS:-} \
      -Dchunkllama.test.backend=cuda -Dchunkllama.test.shared-run="$run" -cp "${TEST_PATH:-$here/lib/*:$here/test/*:$here/test/classes}" \
      org.junit.platform.console.ConsoleLauncher execute --disable-banner --details=none \
      --config=junit.jupiter.extensions.autodetection.enabled=true --config=junit.jupiter.execution.parallel.enabled=false ${JUNIT_OPTIONS:-} "${classes[@]/#/--select-class=}" >"$run/$i.log" 2>&1 &
    pids+=($!)
  done
  for i in "${!pids[@]}"; do
    local status=0
    wait "${pids[$i]}" || status=$?
    # 1: JUnit says that a test failed, which the table will tell better.
    if [ "$status" -gt 1 ]; then
      echo "process $((i + 1)) ended with status $status:"
      tail -n 20 "$run/$((i + 1)).log"
      worst=1
    fi
  done
  table "$run" "$((SECONDS - begin))" "$processes" || worst=1
  return $worst
}

# Adds up what the processes wrote; fails unless every claimed test has a result and none failed.
table() {
  local run=$1 seconds=$2 processes=$3
  cat "$run"/*.tsv 2>/dev/null | sort -t "$(printf '\t')" -k4,4 -k1,1 | awk -F '\t' '!seen[$4]++' >"$run/results"
  for claim in "$run"/*.claim; do
    [ -f "$claim" ] || continue
    cat "$claim"
    echo
  done | sort >"$run/claimed"
  cut -f 4 "$run/results" | sort >"$run/known"
  comm -23 "$run/claimed" "$run/known" >"$run/lost"
  awk -F '\t' '$1 == "FAILED" || $1 == "SKIPPED" { print $1, $3, $4 ": " $5 }' "$run/results"
  sed 's/^/LOST (its process ended) /' "$run/lost"
  echo
  awk -F '\t' -v seconds="$seconds" -v processes="$processes" -v lost="$(wc -l <"$run/lost")" '
    { n[$3]++; count[$3, $1]++; millis[$3] += $2; all[$1]++ }
    END {
      form = "%-64s %7s %7s %7s %7s %9s\n"
      printf form, "tests", "found", "passed", "failed", "skipped", "seconds"
      command = "sort"
      for (c in n) printf form, c, n[c], count[c, "SUCCESSFUL"] + 0, count[c, "FAILED"] + 0, count[c, "SKIPPED"] + 0, sprintf("%.1f", millis[c] / 1000) | command
      close(command)
      printf form, "all, " seconds " s by " processes " processes" (lost ? ", " lost " LOST" : ""), NR + lost, all["SUCCESSFUL"] + 0, all["FAILED"] + 0, all["SKIPPED"] + 0, ""
      exit !(NR > 0 && all["SUCCESSFUL"] > 0 && all["FAILED"] == 0 && lost == 0)
    }' "$run/results"
}

what=${1:-}
[ $# -eq 0 ] || shift
case $what in
  tests) tests "$@" ;;
  chunkllama) exec "${java[@]}" -Xmx16g ${CHUNKLLAMA_JAVA_OPTS:-} -cp "$here/lib/*" org.chunkllama.cli.ChunkLlama "$@" ;;
  *) sed -n '2,7s/^# //p' "$0" && exit 2 ;;
esac
