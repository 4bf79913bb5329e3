package org.chunkllama.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.ResponseFormatJsonSchema.JsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionTokenLogprob;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** OpenAI's own client for Java, with the default model. */
class OpenAiJavaTest {
  private static StartedServer server;
  private static OpenAIClient client;

  @BeforeAll
  static void start() {
    server = StartedServer.chatting();
    client = client(StartedServer.KEY);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      client.close();
      server.close();
    }
  }

  private static OpenAIClient client(String key) {
    return OpenAIOkHttpClient.builder().baseUrl(server.url()).apiKey(key).maxRetries(0).build();
  }

  private static ChatCompletionCreateParams.Builder question() {
    return ChatCompletionCreateParams.builder()
        .model(StartedServer.MODEL)
        .addSystemMessage("You answer in one word.")
        .addUserMessage("What is the capital of France?")
        .temperature(0.0)
        .maxCompletionTokens(12);
  }

  private static ChatCompletion answer(ChatCompletionCreateParams params) {
    return client.chat().completions().create(params);
  }

  private static String text(ChatCompletion completion) {
    return completion.choices().getFirst().message().content().orElseThrow();
  }

  @Test
  void wholeAnswer() {
    ChatCompletion completion = answer(question().build());
    assertThat(text(completion)).contains("Paris");
    assertThat(completion.choices().getFirst().finishReason().toString()).isIn("stop", "length");
    var usage = completion.usage().orElseThrow();
    assertThat(usage.totalTokens()).isEqualTo(usage.promptTokens() + usage.completionTokens());
    assertThat(usage.promptTokens()).isGreaterThan(10);
  }

  @Test
  void streamedAnswerIsTheSame() {
    ChatCompletionCreateParams params =
        question()
            .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
            .build();
    ChatCompletionAccumulator all = ChatCompletionAccumulator.create();
    long chunks;
    try (StreamResponse<ChatCompletionChunk> stream =
        client.chat().completions().createStreaming(params)) {
      chunks = stream.stream().peek(all::accumulate).count();
    }
    assertThat(chunks).isGreaterThan(2);
    ChatCompletion whole = answer(question().build());
    assertThat(text(all.chatCompletion())).isEqualTo(text(whole));
    assertThat(all.chatCompletion().usage().orElseThrow().completionTokens())
        .isEqualTo(whole.usage().orElseThrow().completionTokens());
  }

  @Test
  void secondRequestReportsCachedTokens() {
    String rules = "Answer politely and briefly. ".repeat(60);
    ChatCompletionCreateParams params =
        question().addSystemMessage(rules).addUserMessage("Go.").build();
    answer(params);
    var usage = answer(params).usage().orElseThrow();
    assertThat(usage.promptTokensDetails().orElseThrow().cachedTokens().orElseThrow())
        .isBetween(usage.promptTokens() / 2, usage.promptTokens() - 1);
  }

  @Test
  void jsonSchema() {
    Map<String, Object> properties =
        Map.of(
            "city", Map.of("enum", List.of("Paris", "Lyon")), "capital", Map.of("type", "boolean"));
    JsonSchema.Schema schema =
        JsonSchema.Schema.builder()
            .putAdditionalProperty("type", JsonValue.from("object"))
            .putAdditionalProperty("properties", JsonValue.from(properties))
            .putAdditionalProperty("required", JsonValue.from(List.of("city", "capital")))
            .putAdditionalProperty("additionalProperties", JsonValue.from(false))
            .build();
    ResponseFormatJsonSchema format =
        ResponseFormatJsonSchema.builder()
            .jsonSchema(JsonSchema.builder().name("city").strict(true).schema(schema).build())
            .build();
    ChatCompletion completion =
        answer(question().responseFormat(format).maxCompletionTokens(60).build());
    JsonNode json = JsonMapper.builder().build().readTree(text(completion));
    assertThat(json.get("city").stringValue()).isIn("Paris", "Lyon");
    assertThat(json.get("capital").isBoolean()).isTrue();
    assertThat(json.size()).isEqualTo(2);
  }

  @Test
  void severalAnswers() {
    ChatCompletion completion = answer(question().n(3).temperature(1.0).build());
    assertThat(completion.choices()).hasSize(3);
    assertThat(completion.choices().stream().map(ChatCompletion.Choice::index))
        .containsExactlyInAnyOrder(0L, 1L, 2L);
    assertThat(completion.choices())
        .allSatisfy(choice -> assertThat(choice.message().content()).isPresent());
  }

  @Test
  void logProbabilities() {
    ChatCompletion completion = answer(question().logprobs(true).topLogprobs(3).build());
    List<ChatCompletionTokenLogprob> tokens =
        completion.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
    assertThat(tokens).isNotEmpty();
    assertThat(tokens)
        .allSatisfy(token -> {
          assertThat(token.logprob()).isLessThanOrEqualTo(0);
          assertThat(token.topLogprobs()).hasSize(3);
          assertThat(token.topLogprobs().getFirst().token()).isEqualTo(token.token());
        });
    String joined =
        String.join("", tokens.stream().map(ChatCompletionTokenLogprob::token).toList());
    assertThat(joined).startsWith(text(completion));
  }

  @Test
  void modelsAreListed() {
    assertThat(client.models().list().data())
        .singleElement()
        .satisfies(model -> assertThat(model.id()).isEqualTo(StartedServer.MODEL));
  }

  @Test
  void errorsAreTyped() {
    assertThatThrownBy(() -> answer(question().temperature(9.0).build()))
        .isInstanceOfSatisfying(
            BadRequestException.class,
            e ->
                assertThat(e.param())
                    .hasValueSatisfying(p -> assertThat(p).isEqualTo("temperature")));
    assertThatThrownBy(() -> answer(question().addUserMessage("word ".repeat(20_000)).build()))
        .isInstanceOfSatisfying(
            BadRequestException.class,
            e -> assertThat(e.code()).hasValue("context_length_exceeded"));
    assertThatThrownBy(() -> answer(question().model("another").build()))
        .isInstanceOf(NotFoundException.class);
    OpenAIClient stranger = client("sk-wrong");
    assertThatThrownBy(() -> stranger.chat().completions().create(question().build()))
        .isInstanceOf(UnauthorizedException.class);
    stranger.close();
  }
}
