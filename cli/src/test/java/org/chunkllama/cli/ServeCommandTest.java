package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.OptionSpec;

/** {@code serve}: its options, and a process that is told to stop. */
class ServeCommandTest {
  private static final Pattern ADDRESS = Pattern.compile("serving at (http://[0-9.:]+)");

  @Test
  void fileThenEnvironmentThenFlag(@TempDir Path folder) throws IOException {
    Path yaml = folder.resolve("serve.yaml");
    Files.writeString(yaml, "port: 9001\nmax-sequences: 7\nhost: \"0.0.0.0\"\n");
    CommandRun run =
        CommandRun.of("serve", "--config", yaml.toString(), "--port", "9002", "--print-config");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out())
        .containsPattern("port: +9002 +# flag")
        .containsPattern("max-sequences: +7 +# file")
        .containsPattern("host: +0.0.0.0 +# file")
        .containsPattern("drain-timeout: +30s +# default");
    Path printed = folder.resolve("printed.yml");
    Files.writeString(printed, run.out());
    CommandRun again = CommandRun.of("serve", "--config", printed.toString(), "--print-config");
    assertThat(again.out()).containsPattern("port: +9002 +# file");

    Path properties = folder.resolve("serve.properties");
    Files.writeString(properties, "port=9003\n");
    assertThat(CommandRun.of("serve", "--config=" + properties, "--print-config").out())
        .containsPattern("port: +9003 +# file");

    Defaults defaults =
        new Defaults(name -> name.equals("CHUNKLLAMA_PORT") ? "9004" : null, new String[0]);
    OptionSpec option = OptionSpec.builder("--port").build();
    assertThat(defaults.defaultValue(option)).isEqualTo("9004");
  }

  @Test
  void wrongOptionsAreNamed(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("a.yaml");
    Files.writeString(file, "prot: 1\n");
    CommandRun typo = CommandRun.of("serve", "--config", file.toString());
    assertThat(typo.status()).isNotZero();
    assertThat(typo.err()).contains("no option 'prot'");
    CommandRun port = CommandRun.of("serve", "--port", "70000", "--print-config");
    assertThat(port.err()).contains("port must be from 0 to 65535");
    CommandRun keys = CommandRun.of("serve", "--tls-key", "k.pem", "--print-config");
    assertThat(keys.err()).contains("--tls-certificate");
  }

  @Test
  void aFileThatCannotBeReadIsOneLineWithoutArguments(@TempDir Path folder) throws IOException {
    Path broken = Files.writeString(folder.resolve("broken.yaml"), "port: [1\n");
    Path twice = Files.writeString(folder.resolve("twice.yaml"), "port: 1\nport: 2\n");
    Path missing = folder.resolve("missing.yaml");
    for (Path file : List.of(broken, twice, missing)) {
      CommandRun run =
          CommandRun.of("serve", "--api-key", "sk-secret", "--config", file.toString());
      assertThat(run.status()).isEqualTo(2);
      assertThat(run.err()).contains(file.toString()).doesNotContain("sk-secret");
      assertThat(run.err().lines()).hasSize(1);
    }
  }

  @Test
  void wrongValuesNameTheirOption() {
    for (List<String> wrong :
        List.of(
            List.of("--traces", "foo"),
            List.of("--tenant-pool-share", "1.5"),
            List.of("--tenant-requests", "0"),
            List.of("--max-queue", "0"))) {
      CommandRun run = CommandRun.of("serve", wrong.get(0), wrong.get(1), "--print-config");
      assertThat(run.status()).isEqualTo(2);
      assertThat(run.err()).contains(wrong.get(0) + " must be");
      assertThat(run.err().lines()).hasSize(1);
    }
  }

  @Test
  void aTypoInTheFileIsFoundWhateverFlagsAreGiven(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("a.yaml"), "api_keys: keys.txt\n");
    for (String flag : List.of("-q", "--no-access-log", "--print-config")) {
      CommandRun run = CommandRun.of("serve", flag, "--config", file.toString());
      assertThat(run.status()).as(flag).isEqualTo(2);
      assertThat(run.err()).contains("there is no option 'api_keys'");
    }
  }

  @Test
  void aPrintedConfigurationHidesTheKeyAndDoesNotBecomeIt(@TempDir Path folder) throws IOException {
    CommandRun run = CommandRun.of("serve", "--api-key", "SECRET", "--print-config");
    assertThat(run.out()).doesNotContain("SECRET").containsPattern("# api-key: +\\(hidden\\)");
    Path file = Files.writeString(folder.resolve("a.yaml"), run.out());
    CommandRun again = CommandRun.of("serve", "--config", file.toString(), "--print-config");
    assertThat(again.out()).containsPattern("# api-key: +# default");
  }

  @Test
  void aPortInUseIsToldBeforeAModelIsLookedFor() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      CommandRun run = CommandRun.of("serve", "--port", port, "--model", "/no/model.gguf");
      assertThat(run.status()).isEqualTo(1);
      assertThat(run.err()).contains("cannot listen on 127.0.0.1:" + port);
    }
  }

  @Test
  void stopsWithStatusZeroAfterItsAnswers() throws Exception {
    Process process = start(StoriesModel.path(), "--max-sequences", "64");
    try (BufferedReader err = process.errorReader();
        HttpClient client = HttpClient.newHttpClient()) {
      String address = address(err);
      String body =
          "{\"prompt\":\"Once upon a time\",\"max_tokens\":300,\"ignore_eos\":true,\"stream\":true}";
      List<CompletableFuture<HttpResponse<String>>> streams = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        HttpRequest request =
            HttpRequest.newBuilder(URI.create(address + "/v1/completions"))
                .POST(BodyPublishers.ofString(body))
                .build();
        streams.add(client.sendAsync(request, BodyHandlers.ofString()));
      }
      awaitRunning(client, address, 50);
      process.destroy(); // SIGTERM
      for (CompletableFuture<HttpResponse<String>> stream : streams) {
        assertThat(stream.get(60, TimeUnit.SECONDS).body()).endsWith("data: [DONE]\n\n");
      }
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void servesRandomWeightsToTokenIds(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("config.json"), DummyModelCommandTest.CONFIG);
    Process process = start(folder.toString(), "--load-format", "dummy", "--kv-memory", "16m");
    try (BufferedReader err = process.errorReader();
        HttpClient client = HttpClient.newHttpClient()) {
      String address = address(err);
      HttpResponse<String> answer =
          post(client, address, "{\"prompt\":[1,2,3],\"max_tokens\":4,\"temperature\":0}");
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body()).containsPattern("\"text\":\"( \\d+){4}\"");
      HttpResponse<String> text = post(client, address, "{\"prompt\":\"Once\",\"max_tokens\":4}");
      assertThat(text.statusCode()).isEqualTo(400);
      assertThat(text.body()).contains("no tokenizer");
    } finally {
      process.destroyForcibly();
    }
  }

  private static HttpResponse<String> post(HttpClient client, String address, String body)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(address + "/v1/completions"))
            .POST(BodyPublishers.ofString(body))
            .build();
    return client.send(request, BodyHandlers.ofString());
  }

  private static Process start(String model, String... more) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "org.chunkllama.cli.ChunkLlama",
                "serve",
                "--model",
                model,
                "--port",
                "0"));
    command.addAll(List.of(more));
    return new ProcessBuilder(command).start();
  }

  private static String address(BufferedReader err) throws IOException {
    StringBuilder said = new StringBuilder();
    for (String line = err.readLine(); line != null; line = err.readLine()) {
      said.append(line).append('\n');
      Matcher matcher = ADDRESS.matcher(line);
      if (matcher.find()) {
        return matcher.group(1);
      }
    }
    throw new IOException("not started: " + said);
  }

  private static void awaitRunning(HttpClient client, String address, int count)
      throws IOException, InterruptedException {
    Pattern running = Pattern.compile("(?m)^chunkllama_http_requests_open " + count + "\\.0");
    HttpRequest metrics = HttpRequest.newBuilder(URI.create(address + "/metrics")).build();
    while (!running.matcher(client.send(metrics, BodyHandlers.ofString()).body()).find()) {
      Thread.sleep(1);
    }
  }
}
