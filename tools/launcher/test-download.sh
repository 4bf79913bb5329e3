#!/usr/bin/env bash
# Checks that ./chunkllama fetches a JDK where it finds none: from a mirror on this machine, made of the JDK that is
# here. Three cases: a sound archive, a damaged one, no mirror reached. Needs about 1 GB of disk for a minute.
# Usage: tools/launcher/test-download.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
jdk=${JAVA_HOME:?set JAVA_HOME to a JDK 25}
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

mkdir -p "$work/www/v3/assets/latest/25" "$work/home" "$work/checkout"
tar -C "$(dirname "$jdk")" -chf - "$(basename "$jdk")" | gzip -1 >"$work/www/jdk.tar.gz"
sum=$(sha256sum "$work/www/jdk.tar.gz" | cut -d' ' -f1)
port=$((20000 + RANDOM % 20000))
index() {
  cat >"$work/www/v3/assets/latest/25/hotspot" <<JSON
[{"binary": {"installer": {"checksum": "0", "link": "nothing", "name": "nothing"},
  "package": {"checksum": "$1", "link": "http://127.0.0.1:$port/jdk.tar.gz", "name": "jdk.tar.gz"}}}]
JSON
}
(cd "$work/www" && exec python3 -m http.server "$port" --bind 127.0.0.1 >/dev/null 2>&1) &
server=$!

# The script where no JDK is found: every place it looks in is moved away, and what it would build is not asked for.
sed -e "s#/usr/lib/jvm/\*.*/opt/jdks/\* \\\\#/nowhere/* \\\\#" -e 's#command -v javac#false \&\& command -v javac#' \
  -e '/^if \[ "${1:-}" = test \]/i echo "jdk: $jdk"; "$jdk/bin/java" -version 2>\&1 | head -1; exit 0' \
  "$root/chunkllama" >"$work/checkout/chunkllama"
run() {
  env -u JAVA_HOME -u JAVA25_HOME -u JAVA_HOME_25_X64 HOME="$work/home" SDKMAN_DIR="$work/none" \
    CHUNKLLAMA_HOME="$work/home/cache" CHUNKLLAMA_ADOPTIUM="$1" bash "$work/checkout/chunkllama" --version 2>&1 |
    tr '\r' '\n' | grep -v '^#\|^ *[0-9.]*%' || true
}
expect() { # what, text, output
  case $3 in
    *"$2"*) echo "ok: $1" ;;
    *) printf 'FAILED: %s: no "%s" in:\n%s\n' "$1" "$2" "$3"; exit 1 ;;
  esac
}
for i in 1 2 3 4 5; do curl -fs "http://127.0.0.1:$port/" >/dev/null && break; sleep 0.2; done

expect "no mirror reached: one line says how to get a JDK" "cannot be reached from here; install a JDK 25" \
  "$(run http://127.0.0.1:1)"
index 0000
out=$(run "http://127.0.0.1:$port")
expect "it says first what it does" "downloading Temurin 25 from Adoptium into" "$out"
expect "a damaged archive is refused and deleted" "is damaged (sha256 differs) and was deleted" "$out"
index "$sum"
out=$(run "http://127.0.0.1:$port")
expect "a sound archive is unpacked and used" "jdk: $work/home/cache/jdk-25" "$out"
expect "the JDK runs" 'version "25' "$out"
expect "the second time nothing is fetched" "jdk: $work/home/cache/jdk-25" "$(run http://127.0.0.1:1)"
