#!/bin/sh
# ChunkLlama with its own Java runtime. CHUNKLLAMA_JAVA_OPTS goes to the JVM.
set -eu

source_path=$0
while [ -L "$source_path" ]; do
  link=$(readlink "$source_path")
  case $link in
    /*) source_path=$link ;;
    *) source_path=$(dirname "$source_path")/$link ;;
  esac
done
root=$(cd "$(dirname "$source_path")/.." && pwd)

# shellcheck disable=SC2086
exec "$root/runtime/bin/java" \
  --module-path "$root/lib" \
  --class-path "$(echo "$root"/lib/dnnl-*.jar)" \
  --enable-native-access=org.chunkllama.backend.cpu,org.chunkllama.backend.cuda,org.chunkllama.engine,ai.djl.tokenizers \
  -XX:+UseParallelGC -XX:-UsePerfData -Xshare:auto \
  ${CHUNKLLAMA_JAVA_OPTS:-} \
  --module org.chunkllama.cli/org.chunkllama.cli.ChunkLlama "$@"
