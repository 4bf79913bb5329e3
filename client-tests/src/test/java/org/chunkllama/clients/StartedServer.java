package org.chunkllama.clients;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.chunkllama.DefaultModel;
import org.chunkllama.Llm;
import org.chunkllama.LlmOptions;
import org.chunkllama.TenantLimits;
import org.chunkllama.files.RandomModel;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.server.ChatServer;
import org.chunkllama.server.Limits;
import org.chunkllama.server.ServerOptions;
import org.chunkllama.server.tenant.ApiKeys;
import tools.jackson.databind.json.JsonMapper;

/** A server on a free port that lets in who has {@link #KEY}. */
final class StartedServer implements AutoCloseable {
  static final String KEY = "sk-test";
  static final String MODEL = "served";

  /** A template that defines calls, which the default model's does not. */
  private static final String TOOLS_TEMPLATE =
      // names alone: the model's context is small
      "{% if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool.function.name }} "
          + "{% endfor %}<tool_call>{...}</tool_call><|im_end|>\n{% endif %}"
          + "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'"
          + " + (message['content'] or '')}}"
          + "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}"
          + "</tool_call>{% endfor %}{{'<|im_end|>' + '\n'}}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

  private final Llm llm;
  private final ChatServer server;
  private final Optional<Path> folder;

  private StartedServer(Path model, Optional<Path> folder) {
    this.llm = Llm.load(model, LlmOptions.defaults().withPoolBytes(128 << 20));
    this.folder = folder;
    this.server =
        ChatServer.start(
            llm,
            new ServerOptions(
                "127.0.0.1",
                0,
                MODEL,
                "test",
                ApiKeys.of(Map.of(KEY, "tenant")),
                Optional.empty(),
                Limits.defaults(),
                TenantLimits.none(),
                Optional.empty(),
                false));
  }

  /** With the default model: a trained one that chats. */
  static StartedServer chatting() {
    return new StartedServer(DefaultModel.require(), Optional.empty());
  }

  /** With a small random model whose template knows tools. */
  static StartedServer withTools() throws IOException {
    Path folder = Files.createTempDirectory("chunkllama-clients");
    new RandomModel(RandomModel.llama(), 7).writeHuggingFace(folder);
    Map<String, String> settings =
        Map.of("eos_token", "<|im_end|>", "chat_template", TOOLS_TEMPLATE);
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        JsonMapper.builder().build().writeValueAsString(settings));
    return new StartedServer(folder, Optional.of(folder));
  }

  /** What OpenAI's clients call the base URL. */
  String url() {
    return "http://127.0.0.1:" + server.port() + "/v1";
  }

  /** Fails unless all chunks are accounted for once nothing runs. */
  private void check() {
    while (server.openRequests() > 0 || llm.stats().running() + llm.stats().waiting() > 0) {
      Thread.onSpinWait();
    }
    TreeSnapshot tree = llm.tree(false);
    if (tree.chunksLive() != 0 || tree.chunksFree() + tree.chunksRetained() != tree.chunksTotal()) {
      throw new AssertionError(tree.toString());
    }
  }

  @Override
  public void close() {
    try {
      check();
    } finally {
      server.close();
      llm.close();
      folder.ifPresent(StartedServer::delete);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
