package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files in dist name commands, options and paths that there are. */
class DistTest {
  private static final Path DIST = Path.of("..", "dist");

  private static String text(String file) throws IOException {
    return Files.readString(DIST.resolve(file));
  }

  /** The groups of the one place where {@code pattern} is found. */
  private static List<String> groups(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern, Pattern.MULTILINE).matcher(text);
    assertThat(matcher.find()).as(pattern).isTrue();
    return java.util.stream.IntStream.rangeClosed(1, matcher.groupCount())
        .mapToObj(matcher::group)
        .toList();
  }

  private static String config(String... options) {
    CommandRun run =
        CommandRun.of(
            java.util.stream.Stream.concat(
                    java.util.stream.Stream.of("serve", "--print-config"),
                    java.util.stream.Stream.of(options))
                .toArray(String[]::new));
    assertThat(run.status()).as(run.err()).isZero();
    return run.out();
  }

  @Test
  void dockerfile() throws IOException {
    String file = text("Dockerfile");
    String built = groups(file, "^RUN \\./chunkllama package --output (\\S+)$").getFirst();
    List<String> copied = groups(file, "^COPY --from=build (\\S+) (\\S+)$");
    assertThat(copied.getFirst()).isEqualTo(built);
    assertThat(groups(file, "^ENTRYPOINT \\[\"([^\"]+)\"\\]$").getFirst())
        .isEqualTo(copied.getLast() + "/bin/chunkllama");
    String command = groups(file, "^CMD \\[\"([^\"]+)\"\\]$").getFirst();
    assertThat(CommandRun.of(command, "--help").status()).isZero();
    assertThat(CommandRun.of("package", "--help").out()).contains("--output");
    String config = config();
    assertThat(config).containsPattern("port: +" + groups(file, "^EXPOSE (\\d+)$").getFirst());
    assertThat(groups(file, "CHUNKLLAMA_HOME=(\\S+)").getFirst())
        .isEqualTo(groups(file, "^VOLUME (\\S+)$").getFirst());
    Matcher variables = Pattern.compile("CHUNKLLAMA_([A-Z_]+)=").matcher(file);
    while (variables.find()) {
      String option = variables.group(1).toLowerCase(java.util.Locale.ROOT).replace('_', '-');
      assertThat(option.equals("home") || option.equals("api-key") || config.contains(option + ":"))
          .as(option)
          .isTrue();
    }
  }

  @Test
  void unit(@TempDir Path folder) throws IOException {
    String file = text("chunkllama.service");
    List<String> start = groups(file, "^ExecStart=(\\S+)/bin/chunkllama serve --config (\\S+)$");
    assertThat(file)
        .contains("chunkllama package --output " + start.getFirst())
        .contains("options to " + start.getLast());
    int patience = Integer.parseInt(groups(file, "^TimeoutStopSec=(\\d+)$").getFirst());
    int drain = Integer.parseInt(groups(config(), "drain-timeout: +(\\d+)s").getFirst());
    assertThat(patience).isGreaterThan(drain);

    // Its options, those in comments too.
    Path keys = Files.writeString(folder.resolve("keys"), "me: a-long-key\n");
    String all =
        text("serve.yaml")
            .replaceAll("(?m)^# ([a-z-]+: )", "$1")
            .replace("/etc/chunkllama/keys", keys.toString());
    Path yaml = Files.writeString(folder.resolve("serve.yaml"), all);
    assertThat(all).contains("\napi-keys: ").contains("\nkv-memory: ");
    assertThat(config("--config", yaml.toString()))
        .containsPattern("api-keys: .*# file")
        .containsPattern("kv-memory: .*# file")
        .containsPattern("model: +smollm2-135m +# file");
  }
}
