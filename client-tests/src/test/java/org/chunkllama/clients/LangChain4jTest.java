package org.chunkllama.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiChatResponseMetadata;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** LangChain4j's OpenAI models, with the default model. */
class LangChain4jTest {
  private static StartedServer server;

  @BeforeAll
  static void start() {
    server = StartedServer.chatting();
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static OpenAiChatModel.OpenAiChatModelBuilder model() {
    return OpenAiChatModel.builder()
        .baseUrl(server.url())
        .apiKey(StartedServer.KEY)
        .modelName(StartedServer.MODEL)
        .temperature(0.0)
        .maxCompletionTokens(12)
        .maxRetries(0);
  }

  private static ChatRequest.Builder question() {
    return ChatRequest.builder()
        .messages(
            SystemMessage.from("You answer in one word."),
            UserMessage.from("What is the capital of France?"));
  }

  @Test
  void wholeAndStreamedAnswersAreTheSame() {
    ChatResponse whole = model().build().chat(question().build());
    assertThat(whole.aiMessage().text()).contains("Paris");
    assertThat(whole.tokenUsage().inputTokenCount()).isGreaterThan(10);

    OpenAiStreamingChatModel streaming =
        OpenAiStreamingChatModel.builder()
            .baseUrl(server.url())
            .apiKey(StartedServer.KEY)
            .modelName(StartedServer.MODEL)
            .temperature(0.0)
            .maxCompletionTokens(12)
            .build();
    Streamed streamed = new Streamed();
    streaming.chat(question().build(), streamed);
    ChatResponse last = streamed.await();
    assertThat(last.aiMessage().text()).isEqualTo(whole.aiMessage().text());
    assertThat(String.join("", streamed.pieces())).isEqualTo(whole.aiMessage().text());
    assertThat(last.tokenUsage().outputTokenCount())
        .isEqualTo(whole.tokenUsage().outputTokenCount());
  }

  @Test
  void jsonSchema() {
    JsonObjectSchema schema =
        JsonObjectSchema.builder()
            .addEnumProperty("city", List.of("Paris", "Lyon"))
            .addBooleanProperty("capital")
            .required("city", "capital")
            .additionalProperties(false)
            .build();
    ResponseFormat format =
        ResponseFormat.builder()
            .type(ResponseFormatType.JSON)
            .jsonSchema(JsonSchema.builder().name("city").rootElement(schema).build())
            .build();
    ChatResponse response =
        model()
            .maxCompletionTokens(60)
            .strictJsonSchema(true)
            .build()
            .chat(question().responseFormat(format).build());
    JsonNode json = JsonMapper.builder().build().readTree(response.aiMessage().text());
    assertThat(json.get("city").stringValue()).isIn("Paris", "Lyon");
    assertThat(json.get("capital").isBoolean()).isTrue();
  }

  @Test
  void logProbabilities() {
    ChatResponse response = model().logprobs(true).topLogprobs(2).build().chat(question().build());
    var metadata = (OpenAiChatResponseMetadata) response.metadata();
    assertThat(metadata.logProbs()).isNotEmpty();
    assertThat(metadata.logProbs())
        .allSatisfy(token -> assertThat(token.logprob()).isLessThanOrEqualTo(0.0));
  }

  /** It has no way to ask for several answers; asked all the same, it sees that all came. */
  @Test
  void severalAnswersReachIt() {
    OpenAiChatModel several = model().customParameters(Map.of("n", 3)).build();
    assertThatThrownBy(() -> several.chat(question().build())).hasMessageContaining("3 choices");
  }

  @Test
  void errorsAreTyped() {
    assertThatThrownBy(() -> model().temperature(9.0).build().chat(question().build()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("temperature");
    assertThatThrownBy(() -> model().modelName("another").build().chat(question().build()))
        .isInstanceOf(ModelNotFoundException.class);
    assertThatThrownBy(() -> model().apiKey("sk-wrong").build().chat(question().build()))
        .isInstanceOf(AuthenticationException.class);
  }
}
