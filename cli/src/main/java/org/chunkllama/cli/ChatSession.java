package org.chunkllama.cli;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.Generation;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.error.ChunkLlamaException;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.text.Message;
import org.jspecify.annotations.Nullable;

/**
 * A conversation. Its history is sent whole each turn; the prefix tree still holds it, so only the
 * new message is computed.
 */
final class ChatSession {
  private final Llm llm;
  private final GenerationOptions options;
  private final Console console;
  private final List<Message> history = new ArrayList<>();
  private @Nullable String system;
  private @Nullable GenerationResult last;
  private volatile @Nullable Generation running;

  ChatSession(Llm llm, GenerationOptions options, @Nullable String system, Console console) {
    this.llm = llm;
    this.options = options;
    this.system = system;
    this.console = console;
  }

  /** Asks, and prints the answer as it comes. What fails leaves the history as it was. */
  void ask(String text) {
    history.add(Message.user(text));
    StringBuilder answer = new StringBuilder();
    try (Generation generation = llm.generate(request())) {
      running = generation;
      for (String piece : generation) {
        answer.append(piece);
        console.out().print(piece);
        console.out().flush();
      }
      last = generation.result();
      history.add(Message.assistant(answer.toString()));
    } catch (ChunkLlamaException e) {
      history.removeLast();
      console.say(e.getMessage() + "; /reset begins anew");
    } finally {
      running = null;
      console.out().println();
    }
  }

  private GenerationRequest request() {
    List<Message> messages = new ArrayList<>();
    if (system != null) {
      messages.add(Message.system(system));
    }
    messages.addAll(history);
    return GenerationRequest.chat(messages).withOptions(options);
  }

  /** Stops the answer in the making, if there is one; from any thread. */
  void interrupt() {
    Generation generation = running;
    if (generation != null) {
      generation.close();
    }
  }

  /** Forgets the conversation, keeps the system prompt. */
  void reset() {
    history.clear();
    last = null;
  }

  /** Sets the system prompt; empty = none. The conversation begins anew. */
  void system(String text) {
    system = text.isEmpty() ? null : text;
    reset();
  }

  /** The system prompt, or null. */
  @Nullable String system() {
    return system;
  }

  /** What the last turn cost; null before the first. */
  @Nullable GenerationResult last() {
    return last;
  }
}
