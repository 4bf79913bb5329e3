#!/usr/bin/env bash
# Packs a Java runtime with the libraries (runtime.tar.xz) and the built modules with the device tests
# (application.tar.xz), for a machine with a GPU but without Java and without network:
# tools/cuda/device-pack.sh FOLDER [MODEL...]. Build first (mvn package -DskipTests). The runtime is packed once.
# There: tar -xJf runtime.tar.xz; tar -xJf application.tar.xz; ./run.sh tests | ./run.sh chunkllama ARGUMENTS...
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
java=${JAVA_HOME:?set JAVA_HOME to a JDK 25}
cache=${CHUNKLLAMA_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/chunkllama}
image=$cache/device-image-25
modules=java.base,java.instrument,java.logging,java.management,java.naming,java.net.http,java.sql,java.xml,jdk.httpserver
modules=$modules,jdk.incubator.vector,jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs
if [ ! -x "$image/bin/java" ]; then
  "$java/bin/jlink" --add-modules "$modules" --strip-debug --no-man-pages --no-header-files --compress zip-0 --output "$image"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lib" "$work/test" "$work/assets/models"

pack_runtime() {
  local base=$1
  mkdir -p "$base/lib" "$base/test"
  cp -r "$image" "$base/jre"
  cp "$root"/cli/target/lib/*.jar "$base/lib/"
  rm -f "$base"/lib/chunkllama-*.jar "$base"/lib/dnnl-*.jar
  # Natives of other platforms are most of it.
  for other in osx-aarch64 osx-x86_64 win-x86_64 linux-aarch64; do
    zip -qd "$base"/lib/tokenizers-*.jar "native/lib/$other/*" >/dev/null 2>&1 || true
  done
  for artifact in org.junit.platform:junit-platform-console-standalone:6.1.3 org.assertj:assertj-core:3.27.7; do
    mvn -q -B -ntp -N -f "$root/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy \
      -Dartifact="$artifact" -DoutputDirectory="$base/test" >/dev/null 2>&1
  done
  tar -C "$base" -c . | xz -T2 -6 >"$out/runtime.tar.xz"
}

if [ ! -f "$out/runtime.tar.xz" ]; then
  pack_runtime "$work/runtime"
  rm -rf "$work/runtime"
fi
cp "$root"/cli/target/lib/chunkllama-*.jar "$work/lib/"
cp "$root"/backend-contract/target/chunkllama-backend-contract-*.jar "$work/test/"
cp -r "$root/backend-cuda/target/test-classes" "$work/test/classes"
mkdir -p "$work/test/classes/org/chunkllama/parity"
cp -r "$root"/engine/target/test-classes/org/chunkllama/parity/. "$work/test/classes/org/chunkllama/parity/"
cp "$root"/engine/target/test-classes/org/chunkllama/SharedAssets.class "$work/test/classes/org/chunkllama/"
cp -r "$root/engine/target/test-classes/goldens" "$work/test/classes/"
for model in "$@"; do cp -r "$model" "$work/assets/models/"; done
# Processes share a run of the tests by this class.
mkdir -p "$work/test/classes/META-INF/services"
for service in org.junit.jupiter.api.extension.Extension org.junit.platform.launcher.TestExecutionListener; do
  echo org.chunkllama.cuda.SharedRun >"$work/test/classes/META-INF/services/$service"
done
cp "$root/tools/cuda/device-run.sh" "$work/run.sh"
chmod +x "$work/run.sh"
tar -C "$work" -c . | xz -T2 -6 >"$out/application.tar.xz"
ls -la "$out"/*.tar.xz
