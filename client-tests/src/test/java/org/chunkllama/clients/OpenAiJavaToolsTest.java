package org.chunkllama.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionNamedToolChoice;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption.Auto;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** OpenAI's own client for Java calling tools. */
class OpenAiJavaToolsTest {
  private static StartedServer server;
  private static OpenAIClient client;

  @BeforeAll
  static void start() throws IOException {
    server = StartedServer.withTools();
    client =
        OpenAIOkHttpClient.builder()
            .baseUrl(server.url())
            .apiKey(StartedServer.KEY)
            .maxRetries(0)
            .build();
  }

  @AfterAll
  static void stop() {
    client.close();
    server.close();
  }

  private static FunctionDefinition tool(String name) {
    Map<String, Object> properties = Map.of("city", Map.of("enum", List.of("Rome", "Oslo")));
    return FunctionDefinition.builder()
        .name(name)
        .description("Tells the " + name)
        .parameters(
            FunctionParameters.builder()
                .putAdditionalProperty("type", JsonValue.from("object"))
                .putAdditionalProperty("properties", JsonValue.from(properties))
                .putAdditionalProperty("required", JsonValue.from(List.of("city")))
                .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                .build())
        .build();
  }

  private static ChatCompletionCreateParams.Builder question() {
    return ChatCompletionCreateParams.builder()
        .model(StartedServer.MODEL)
        .addUserMessage("Rome?")
        .addFunctionTool(tool("weather"))
        .addFunctionTool(tool("time"))
        .parallelToolCalls(false)
        .temperature(0.0)
        .maxCompletionTokens(200);
  }

  private static ChatCompletion answer(ChatCompletionCreateParams params) {
    return client.chat().completions().create(params);
  }

  private static ChatCompletionMessageFunctionToolCall call(ChatCompletion completion) {
    ChatCompletion.Choice choice = completion.choices().getFirst();
    assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
    assertThat(choice.message().content().orElse("")).isEmpty();
    assertThat(choice.message().toolCalls().orElseThrow()).hasSize(1);
    return choice.message().toolCalls().orElseThrow().getFirst().asFunction();
  }

  private static void check(ChatCompletionMessageFunctionToolCall call, String... names) {
    assertThat(call.function().name()).isIn((Object[]) names);
    JsonNode arguments = JsonMapper.builder().build().readTree(call.function().arguments());
    assertThat(arguments.get("city").stringValue()).isIn("Rome", "Oslo");
  }

  private static ChatCompletionNamedToolChoice named(String name) {
    return ChatCompletionNamedToolChoice.builder()
        .function(ChatCompletionNamedToolChoice.Function.builder().name(name).build())
        .build();
  }

  @Test
  void required() {
    check(call(answer(question().toolChoice(Auto.REQUIRED).build())), "weather", "time");
  }

  @Test
  void named() {
    check(call(answer(question().toolChoice(named("time")).build())), "time");
    check(call(answer(question().toolChoice(named("weather")).build())), "weather");
  }

  @Test
  void autoLeavesItToTheModel() {
    ChatCompletion.Choice free =
        answer(question().toolChoice(Auto.AUTO).maxCompletionTokens(20).build())
            .choices()
            .getFirst();
    assertThat(free.finishReason().toString()).isIn("stop", "length");
    assertThat(free.message().content()).isPresent();

    // A random model never calls a tool of its own accord: here it is led to.
    String call =
        "<tool_call>\\n\\{\"name\": \"time\", \"arguments\": \\{\"city\": \"Oslo\"\\}\\}\\n</tool_call>";
    ChatCompletion led =
        answer(
            question()
                .toolChoice(Auto.AUTO)
                .putAdditionalBodyProperty("guided_regex", JsonValue.from(call))
                .build());
    check(call(led), "time");
  }

  @Test
  void streamed() {
    ChatCompletionCreateParams params = question().toolChoice(Auto.REQUIRED).build();
    ChatCompletionAccumulator all = ChatCompletionAccumulator.create();
    List<String> parts = new ArrayList<>();
    try (StreamResponse<ChatCompletionChunk> stream =
        client.chat().completions().createStreaming(params)) {
      stream.stream().peek(all::accumulate).forEach(chunk -> parts.addAll(arguments(chunk)));
    }
    assertThat(parts).as("pieces of the arguments").hasSizeGreaterThan(2);
    ChatCompletionMessageFunctionToolCall streamed = call(all.chatCompletion());
    check(streamed, "weather", "time");
    assertThat(streamed.function().arguments())
        .isEqualTo(call(answer(params)).function().arguments());
  }

  private static List<String> arguments(ChatCompletionChunk chunk) {
    return chunk.choices().stream()
        .flatMap(choice -> choice.delta().toolCalls().stream().flatMap(List::stream))
        .flatMap(call -> call.function().stream())
        .flatMap(function -> function.arguments().stream())
        .filter(part -> !part.isEmpty())
        .toList();
  }

  @Test
  void theToolsResultIsTaken() {
    ChatCompletion first = answer(question().toolChoice(named("time")).build());
    ChatCompletionMessageFunctionToolCall call = call(first);
    ChatCompletion second =
        answer(
            question()
                .addMessage(first.choices().getFirst().message())
                .addMessage(
                    ChatCompletionToolMessageParam.builder()
                        .toolCallId(call.id())
                        .content("It is noon.")
                        .build())
                .toolChoice(Auto.NONE)
                .maxCompletionTokens(8)
                .build());
    assertThat(second.choices().getFirst().message().content()).isPresent();
    assertThat(second.usage().orElseThrow().promptTokens())
        .isGreaterThan(first.usage().orElseThrow().promptTokens());
  }

  @Test
  void anUnknownToolIsAnError() {
    assertThatThrownBy(() -> answer(question().toolChoice(named("stocks")).build()))
        .isInstanceOf(BadRequestException.class)
        .hasMessageContaining("tool_choice.function.name");
  }
}
