package org.chunkllama;

import java.nio.file.Path;
import java.util.List;
import org.chunkllama.files.Progress;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.text.Tokenizer;

/**
 * A loaded model that answers any number of requests together. Thread-safe: requests from any
 * thread are decoded in one batch, and what begins with the same tokens shares memory and work.
 */
public final class Llm implements AutoCloseable {
  private Llm() {}

  @SuppressWarnings("TypeParameterUnusedInFormals")
  private static <T> T soon() {
    throw new UnsupportedOperationException("in the making");
  }

  /** Loads a GGUF file or a Hugging Face folder with default options. */
  public static Llm load(Path model) {
    return load(model, LlmOptions.defaults());
  }

  /** Loads a GGUF file or a Hugging Face folder. */
  public static Llm load(Path model, LlmOptions options) {
    return load(model, options, Progress.NONE);
  }

  /** Loads a GGUF file or a Hugging Face folder, telling how far it has come. */
  public static Llm load(Path model, LlmOptions options, Progress progress) {
    return soon();
  }

  /** One user message through the chat template, with default options. */
  public Generation generate(String userMessage) {
    return generate(GenerationRequest.of(userMessage));
  }

  /** Starts a request; returns at once unless the queue is full. */
  public Generation generate(GenerationRequest request) {
    return soon();
  }

  /**
   * Runs requests together and waits for all; results in the order of the requests. Identical
   * prompts are computed once.
   */
  public List<GenerationResult> generateAll(List<GenerationRequest> requests) {
    return soon();
  }

  /** The same without waiting: all enter the queue at once. */
  public List<Generation> submitAll(List<GenerationRequest> requests) {
    return soon();
  }

  /** Computes a system prompt and keeps it warm until closed. */
  public Prefix prefix(String systemPrompt) {
    return soon();
  }

  /** Computes a prefix, of raw text, tokens or messages, and keeps it warm until closed. */
  public Prefix prefix(Prompt prompt) {
    return soon();
  }

  /** Ids of a prompt as the model will see it. */
  public int[] encode(Prompt prompt) {
    return soon();
  }

  public Tokenizer tokenizer() {
    return soon();
  }

  public ModelConfig config() {
    return soon();
  }

  /** The model's name as its file states it. */
  public String name() {
    return soon();
  }

  /** Longest prompt and answer together, in tokens. */
  public int context() {
    return soon();
  }

  /** What runs and why: backend, products, KV type, pool; one line. */
  public String description() {
    return soon();
  }

  /**
   * The prefix tree between two steps, for drawing.
   *
   * @param withTokens with the token ids of its chunks
   */
  public TreeSnapshot tree(boolean withTokens) {
    return soon();
  }

  /** Figures since loading, taken between two steps. */
  public LlmStats stats() {
    return soon();
  }

  /** Cancels what runs, stops the engine thread, frees all memory. */
  @Override
  public void close() {
    soon();
  }
}
