package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class CompletionsTest {
  private static final String PATH = "/v1/completions";

  private static TestServer server;

  @BeforeAll
  static void start() {
    server = new TestServer();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static List<String> texts(Object prompt, Map<String, ?> more) {
    List<String> texts = new ArrayList<>();
    JsonNode answer = server.json(PATH, TestServer.completion(prompt, more));
    for (JsonNode choice : answer.get("choices").values()) {
      assertThat(choice.get("index").intValue()).isEqualTo(texts.size());
      texts.add(choice.get("text").stringValue());
    }
    return texts;
  }

  private static List<String> streamed(Object prompt, int count, Map<String, ?> more) {
    Map<String, Object> body = TestServer.completion(prompt, more);
    body.put("stream", true);
    List<StringBuilder> texts =
        IntStream.range(0, count).mapToObj(_ -> new StringBuilder()).toList();
    for (JsonNode event : server.events(PATH, body)) {
      JsonNode choice = event.get("choices").get(0);
      texts.get(choice.get("index").intValue()).append(choice.get("text").stringValue());
    }
    return texts.stream().map(StringBuilder::toString).toList();
  }

  @Test
  void theLeastTemperaturesAreGreedy() {
    List<String> greedy = texts("Once upon a time", Map.of());
    for (double temperature : new double[] {1e-6, 1e-40, 1e-300}) {
      assertThat(texts("Once upon a time", Map.of("temperature", temperature))).isEqualTo(greedy);
    }
  }

  @Test
  void batchesOfPromptsAnswerAsOneByOne() {
    List<String> prompts = List.of("Once upon a time", "The end", "Once upon a midnight");
    List<String> single = prompts.stream().map(p -> texts(p, Map.of()).getFirst()).toList();
    assertThat(texts(prompts, Map.of())).isEqualTo(single);
    assertThat(streamed(prompts, 3, Map.of())).isEqualTo(single);
  }

  @Test
  void tokenIdsAreAPromptToo() {
    JsonNode tokens = server.json("/tokenize", Map.of("prompt", "Once upon a time")).get("tokens");
    assertThat(texts(tokens, Map.of())).isEqualTo(texts("Once upon a time", Map.of()));
    assertThat(texts(List.of(tokens, tokens), Map.of())).hasSize(2);
    JsonNode text = server.json("/detokenize", Map.of("tokens", tokens)).get("prompt");
    assertThat(text.stringValue()).isEqualTo("Once upon a time");
    JsonNode rendered =
        server.json("/v1/completions/render", Map.of("prompt", List.of("Once upon a time")));
    assertThat(rendered.get(0).get("prompt_token_ids")).isEqualTo(tokens);
  }

  @Test
  void echoPutsThePromptFirst() {
    String plain = texts("The end", Map.of()).getFirst();
    assertThat(texts("The end", Map.of("echo", true))).containsExactly("The end" + plain);
    assertThat(streamed("The end", 1, Map.of("echo", true))).containsExactly("The end" + plain);
  }

  @Test
  void bestOfReturnsTheLikeliest() {
    Map<String, Object> random =
        Map.of("temperature", 1, "seed", 3, "n", 5, "logprobs", 0, "ignore_eos", true);
    JsonNode all = server.json(PATH, TestServer.completion("The end", random)).get("choices");
    double best = Double.NEGATIVE_INFINITY;
    String likeliest = "";
    for (JsonNode choice : all.values()) {
      double sum = 0;
      for (JsonNode logprob : choice.get("logprobs").get("token_logprobs").values()) {
        sum += logprob.doubleValue();
      }
      if (sum > best) {
        best = sum;
        likeliest = choice.get("text").stringValue();
      }
    }
    List<String> chosen =
        texts(
            "The end",
            Map.of("temperature", 1, "seed", 3, "best_of", 5, "n", 1, "ignore_eos", true));
    assertThat(chosen).containsExactly(likeliest);
  }

  /** The model's tokens are bytes mostly, so that its answers are full of parts of characters. */
  @Test
  void offsetsAreWhereTokensBeginInTheText() {
    Object[] prompts = {"\ud83d\ude00\ud83d\ude00\ud83d\ude00", "The end"};
    boolean parts = false;
    for (Object prompt : prompts) {
      Map<String, Object> asked =
          Map.of("logprobs", 0, "ignore_eos", true, "max_tokens", 40, "n", 2, "temperature", 1);
      Map<String, Object> body = TestServer.completion(prompt, asked);
      body.put("seed", 5);
      JsonNode choices = server.json(PATH, body).get("choices");
      body.put("stream", true);
      List<List<Integer>> streamed = List.of(new ArrayList<>(), new ArrayList<>());
      for (JsonNode event : server.events(PATH, body)) {
        JsonNode choice = event.get("choices").get(0);
        if (!choice.get("logprobs").isNull()) {
          for (JsonNode offset : choice.get("logprobs").get("text_offset").values()) {
            streamed.get(choice.get("index").intValue()).add(offset.intValue());
          }
        }
      }
      for (int c = 0; c < 2; c++) {
        JsonNode columns = choices.get(c).get("logprobs");
        String text = choices.get(c).get("text").stringValue();
        List<Integer> whole = new ArrayList<>();
        for (int i = 0; i < columns.get("text_offset").size(); i++) {
          int offset = columns.get("text_offset").get(i).intValue();
          assertThat(offset).isGreaterThanOrEqualTo(whole.isEmpty() ? 0 : whole.getLast());
          whole.add(offset);
          String token = columns.get("tokens").get(i).stringValue();
          if (token.contains("\ufffd")) {
            parts = true;
            assertThat(offset).isLessThan(text.codePointCount(0, text.length()));
          } else if (text.offsetByCodePoints(0, offset) < text.length()) {
            assertThat(text.substring(text.offsetByCodePoints(0, offset))).startsWith(token);
          }
        }
        assertThat(whole).hasSize(40).isEqualTo(streamed.get(c));
      }
    }
    assertThat(parts).isTrue();
  }

  @Test
  void stopsAndMinimum() {
    String text = texts("The end", Map.of("ignore_eos", true)).getFirst();
    String stop = text.substring(3, 5);
    String cut = texts("The end", Map.of("ignore_eos", true, "stop", stop)).getFirst();
    assertThat(cut).isEqualTo(text.substring(0, text.indexOf(stop)));
    JsonNode biased =
        server.json(
            PATH,
            TestServer.completion(
                "The end", Map.of("logit_bias", Map.of("60", 100), "max_tokens", 4)));
    String forced =
        server
            .json("/detokenize", Map.of("tokens", List.of(60, 60, 60, 60)))
            .get("prompt")
            .stringValue();
    assertThat(biased.get("choices").get(0).get("text").stringValue()).isEqualTo(forced);
  }

  @Test
  void thirtyTwoStreamsEqualOneByOne() throws Exception {
    List<String> prompts =
        IntStream.range(0, 32).mapToObj(i -> "A common beginning, then number " + i).toList();
    List<String> single = prompts.stream().map(p -> texts(p, Map.of()).getFirst()).toList();
    try (var pool = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
      var together =
          prompts.stream()
              .map(p -> pool.submit(() -> streamed(p, 1, Map.of()).getFirst()))
              .toList();
      for (int i = 0; i < prompts.size(); i++) {
        assertThat(together.get(i).get()).as(prompts.get(i)).isEqualTo(single.get(i));
      }
    }
  }
}
