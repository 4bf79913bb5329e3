package org.chunkllama.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** LangChain4j calling tools. */
class LangChain4jToolsTest {
  private static final UserMessage QUESTION = UserMessage.from("Rome?");

  private static StartedServer server;

  @BeforeAll
  static void start() throws IOException {
    server = StartedServer.withTools();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static OpenAiChatModel.OpenAiChatModelBuilder model() {
    return OpenAiChatModel.builder()
        .baseUrl(server.url())
        .apiKey(StartedServer.KEY)
        .modelName(StartedServer.MODEL)
        .temperature(0.0)
        .maxCompletionTokens(200)
        .parallelToolCalls(false)
        .maxRetries(0);
  }

  private static ToolSpecification tool(String name) {
    return ToolSpecification.builder()
        .name(name)
        .description("Tells the " + name)
        .parameters(
            JsonObjectSchema.builder()
                .addEnumProperty("city", List.of("Rome", "Oslo"))
                .required("city")
                .additionalProperties(false)
                .build())
        .build();
  }

  private static ChatRequest.Builder question(ToolChoice choice) {
    return ChatRequest.builder()
        .messages(QUESTION)
        .toolSpecifications(tool("weather"), tool("time"))
        .toolChoice(choice);
  }

  private static ToolExecutionRequest call(ChatResponse response, String... names) {
    assertThat(response.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
    ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().getFirst();
    assertThat(call.name()).isIn((Object[]) names);
    var arguments = JsonMapper.builder().build().readTree(call.arguments());
    assertThat(arguments.get("city").stringValue()).isIn("Rome", "Oslo");
    return call;
  }

  @Test
  void required() {
    call(model().build().chat(question(ToolChoice.REQUIRED).build()), "weather", "time");
  }

  @Test
  void namedAndItsResult() {
    Map<String, Object> choice = Map.of("type", "function", "function", Map.of("name", "time"));
    OpenAiChatModel named = model().customParameters(Map.of("tool_choice", choice)).build();
    ChatResponse first =
        named.chat(
            ChatRequest.builder()
                .messages(QUESTION)
                .toolSpecifications(tool("weather"), tool("time"))
                .build());
    ToolExecutionRequest call = call(first, "time");
    ChatResponse second =
        model()
            .maxCompletionTokens(8)
            .build()
            .chat(
                question(ToolChoice.NONE)
                    .messages(
                        QUESTION,
                        first.aiMessage(),
                        ToolExecutionResultMessage.from(call, "It is noon."))
                    .build());
    assertThat(second.aiMessage().text()).isNotEmpty();
    assertThat(second.tokenUsage().inputTokenCount())
        .isGreaterThan(first.tokenUsage().inputTokenCount());
  }

  @Test
  void autoLeavesItToTheModel() {
    ChatResponse free =
        model().maxCompletionTokens(20).build().chat(question(ToolChoice.AUTO).build());
    assertThat(free.aiMessage().hasToolExecutionRequests()).isFalse();
    assertThat(free.aiMessage().text()).isNotEmpty();
  }

  @Test
  void streamed() {
    OpenAiStreamingChatModel streaming =
        OpenAiStreamingChatModel.builder()
            .baseUrl(server.url())
            .apiKey(StartedServer.KEY)
            .modelName(StartedServer.MODEL)
            .temperature(0.0)
            .maxCompletionTokens(200)
            .parallelToolCalls(false)
            .build();
    Streamed streamed = new Streamed();
    streaming.chat(question(ToolChoice.REQUIRED).build(), streamed);
    ToolExecutionRequest call = call(streamed.await(), "weather", "time");
    ChatResponse whole = model().build().chat(question(ToolChoice.REQUIRED).build());
    assertThat(call.arguments()).isEqualTo(call(whole, "weather", "time").arguments());
  }
}
