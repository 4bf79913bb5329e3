package org.chunkllama;

import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.BackendOptions;

/**
 * How to load and run a model.
 *
 * @param backend name of the backend, or {@code auto}
 * @param backendOptions threads and precision
 * @param kvType how keys and values are stored
 * @param poolBytes memory for keys and values; 0 = a share of what is free
 * @param chunkTokens tokens per chunk, 16 to 128, a multiple of 16
 * @param context longest sequence in tokens; 0 = the model's, or what the pool holds if less
 * @param stepTokens most prompt tokens computed in one step; running answers never wait longer
 * @param maxSequences most sequences that run at once
 * @param queueCapacity most requests that wait; submitting more blocks
 * @param prefixSharing share chunks between sequences
 * @param chunkFirst read shared chunks once per batch; false = sequence-first attention only
 * @param loadFormat where weights come from
 * @param tuning whether a GPU's attention is measured before the model is loaded
 */
public record LlmOptions(
    String backend,
    BackendOptions backendOptions,
    KvType kvType,
    long poolBytes,
    int chunkTokens,
    int context,
    int stepTokens,
    int maxSequences,
    int queueCapacity,
    boolean prefixSharing,
    boolean chunkFirst,
    LoadFormat loadFormat,
    Tuning tuning) {
  /** Tokens of a step: the most rows of a CUDA grid. */
  public static final int MAX_STEP_TOKENS = 65_535;

  /**
   * Storage type of keys and values. AUTO follows the precision of the backend's products; F8
   * (e4m3) and I8 take half of the memory of BF16, where the backend has them.
   */
  public enum KvType {
    AUTO,
    F32,
    BF16,
    F16,
    F8,
    I8
  }

  /** Where weights come from. DUMMY: random ones, to measure speed; answers mean nothing. */
  public enum LoadFormat {
    AUTO,
    DUMMY
  }

  /**
   * Whether the settings of a GPU's attention are measured, in a few seconds, before the model is
   * loaded; what comes out is kept for later starts. AUTO: where nothing was measured on its kind;
   * MEASURE: unless it was on this very kind of GPU and shape of heads, even if a table is shipped;
   * OFF: never. On a CPU there is nothing to measure.
   */
  public enum Tuning {
    AUTO,
    MEASURE,
    OFF
  }

  private static final LlmOptions DEFAULTS =
      new LlmOptions(
          "auto",
          BackendOptions.defaults(),
          KvType.AUTO,
          0,
          64,
          0,
          512,
          256,
          1024,
          true,
          true,
          LoadFormat.AUTO,
          Tuning.AUTO);

  public LlmOptions {
    require(poolBytes >= 0, "poolBytes must not be negative (0 = automatic), not " + poolBytes);
    require(
        chunkTokens >= 16 && chunkTokens <= 128 && chunkTokens % 16 == 0,
        "chunkTokens must be a multiple of 16 from 16 to 128, not " + chunkTokens);
    require(context >= 0, "context must not be negative (0 = the model's), not " + context);
    require(
        stepTokens >= 16 && stepTokens <= MAX_STEP_TOKENS,
        "stepTokens must be from 16 to %d, not %d".formatted(MAX_STEP_TOKENS, stepTokens));
    require(
        maxSequences >= 1 && maxSequences <= 1 << 14,
        "maxSequences must be from 1 to 16384, not " + maxSequences);
    require(queueCapacity >= 1, "queueCapacity must be 1 or more, not " + queueCapacity);
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new InvalidRequestException(message);
    }
  }

  public static LlmOptions defaults() {
    return DEFAULTS;
  }

  public LlmOptions withBackend(String backend) {
    Draft draft = new Draft(this);
    draft.backend = backend;
    return draft.done();
  }

  public LlmOptions withBackendOptions(BackendOptions backendOptions) {
    Draft draft = new Draft(this);
    draft.backendOptions = backendOptions;
    return draft.done();
  }

  public LlmOptions withKvType(KvType kvType) {
    Draft draft = new Draft(this);
    draft.kvType = kvType;
    return draft.done();
  }

  public LlmOptions withPoolBytes(long poolBytes) {
    Draft draft = new Draft(this);
    draft.poolBytes = poolBytes;
    return draft.done();
  }

  public LlmOptions withChunkTokens(int chunkTokens) {
    Draft draft = new Draft(this);
    draft.chunkTokens = chunkTokens;
    return draft.done();
  }

  public LlmOptions withContext(int context) {
    Draft draft = new Draft(this);
    draft.context = context;
    return draft.done();
  }

  public LlmOptions withStepTokens(int stepTokens) {
    Draft draft = new Draft(this);
    draft.stepTokens = stepTokens;
    return draft.done();
  }

  public LlmOptions withMaxSequences(int maxSequences) {
    Draft draft = new Draft(this);
    draft.maxSequences = maxSequences;
    return draft.done();
  }

  public LlmOptions withQueueCapacity(int queueCapacity) {
    Draft draft = new Draft(this);
    draft.queueCapacity = queueCapacity;
    return draft.done();
  }

  public LlmOptions withPrefixSharing(boolean prefixSharing) {
    Draft draft = new Draft(this);
    draft.prefixSharing = prefixSharing;
    return draft.done();
  }

  public LlmOptions withChunkFirst(boolean chunkFirst) {
    Draft draft = new Draft(this);
    draft.chunkFirst = chunkFirst;
    return draft.done();
  }

  public LlmOptions withLoadFormat(LoadFormat loadFormat) {
    Draft draft = new Draft(this);
    draft.loadFormat = loadFormat;
    return draft.done();
  }

  public LlmOptions withTuning(Tuning tuning) {
    Draft draft = new Draft(this);
    draft.tuning = tuning;
    return draft.done();
  }

  /** A copy with one field about to change. */
  private static final class Draft {
    String backend;
    BackendOptions backendOptions;
    KvType kvType;
    long poolBytes;
    int chunkTokens;
    int context;
    int stepTokens;
    int maxSequences;
    int queueCapacity;
    boolean prefixSharing;
    boolean chunkFirst;
    LoadFormat loadFormat;
    Tuning tuning;

    Draft(LlmOptions from) {
      backend = from.backend;
      backendOptions = from.backendOptions;
      kvType = from.kvType;
      poolBytes = from.poolBytes;
      chunkTokens = from.chunkTokens;
      context = from.context;
      stepTokens = from.stepTokens;
      maxSequences = from.maxSequences;
      queueCapacity = from.queueCapacity;
      prefixSharing = from.prefixSharing;
      chunkFirst = from.chunkFirst;
      loadFormat = from.loadFormat;
      tuning = from.tuning;
    }

    LlmOptions done() {
      return new LlmOptions(
          backend,
          backendOptions,
          kvType,
          poolBytes,
          chunkTokens,
          context,
          stepTokens,
          maxSequences,
          queueCapacity,
          prefixSharing,
          chunkFirst,
          loadFormat,
          tuning);
    }
  }
}
