package org.chunkllama;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;
import org.chunkllama.LlmOptions.LoadFormat;
import org.chunkllama.LlmOptions.Tuning;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.files.ModelFile;
import org.chunkllama.files.Progress;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.LoadProgress;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.schedule.Engine;
import org.chunkllama.schedule.EngineLimits;
import org.chunkllama.schedule.EngineLoop;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.text.ChatTemplate;
import org.chunkllama.text.Tokenizer;
import org.chunkllama.text.Tokenizers;
import org.chunkllama.tune.FirstUse;
import org.jspecify.annotations.Nullable;

/** Puts a model together; whatever fails, what was opened before is closed. */
final class LlmLoader implements AutoCloseable {
  private static final long DUMMY_SEED = 1;

  private final LlmOptions options;
  private final Progress progress;
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  LlmLoader(LlmOptions options, Progress progress) {
    this.options = options;
    this.progress = progress;
  }

  Llm load(Path path) {
    ModelFile file =
        opened(isDummy() ? ModelFile.openConfig(path, progress) : ModelFile.open(path, progress));
    Tokenizer tokenizer = opened(Tokenizers.of(file.tokenizer()));
    ChatTemplate template = ChatTemplate.of(file.chatTemplate().orElse(null), tokenizer);
    Backend backend = opened(Backends.open(options.backend(), options.backendOptions()));
    backend.requireKvType(kvType());

    ModelConfig config = file.config();
    KvLayout layout =
        new KvLayout(
            config.layers(), config.kvHeads(), config.headDim(), options.chunkTokens(), kvType());
    backend.announce(layout, config.heads());
    tune(backend, layout, config.heads());
    int chunks = chunks(backend, file, layout);
    int context = (int) Math.min(context(config), (long) chunks * options.chunkTokens());
    EngineLimits limits =
        new EngineLimits(
            context, options.stepTokens(), options.maxSequences(), options.prefixSharing());
    LlamaModel model = opened(loadModel(backend, file, limits));
    KvCache cache = opened(backend.kvCache(layout, chunks));
    Engine engine = new Engine(backend, model, cache, tokenizer, limits, options.chunkFirst());
    EngineLoop loop = opened(new EngineLoop(engine, options.queueCapacity()));
    Llm llm =
        new Llm(
            loop,
            new Prompts(tokenizer, template),
            tokenizer,
            config,
            isDummy() ? file.name() + " (random weights)" : file.name(),
            context,
            backend.kvBytesPerChunk(layout),
            describe(backend, layout, chunks, context),
            new ArrayDeque<>(opened));
    opened.clear();
    return llm;
  }

  /** Before anything takes the device's memory. */
  private void tune(Backend backend, KvLayout layout, int queryHeads) {
    if (options.tuning() != Tuning.OFF) {
      boolean trustsShipped = options.tuning() == Tuning.AUTO;
      FirstUse.tune(backend, layout, queryHeads, trustsShipped, progress);
    }
  }

  private LlamaModel loadModel(Backend backend, ModelFile file, EngineLimits limits) {
    progress.begin("loading " + file.name(), file.config().layers() + 2L, Progress.Unit.TENSORS);
    try {
      LoadProgress told = (done, _) -> progress.advance(done);
      int rows = limits.rows();
      int context = limits.context();
      ModelConfig config = file.config();
      return isDummy()
          ? LlamaModel.random(backend, config, DUMMY_SEED, rows, context, told)
          : LlamaModel.load(backend, config, file, rows, context, told);
    } finally {
      progress.end();
    }
  }

  private boolean isDummy() {
    return options.loadFormat() == LoadFormat.DUMMY;
  }

  private int chunks(Backend backend, ModelFile file, KvLayout layout) {
    int context = context(file.config());
    OptionalLong free = backend.freeBytes();
    long perChunk = backend.kvBytesPerChunk(layout);
    return free.isEmpty()
        ? PoolSize.chunks(layout, perChunk, context, options.poolBytes())
        : PoolSize.deviceChunks(
            layout,
            perChunk,
            context,
            options.poolBytes(),
            weightBytes(backend, file),
            activationBytes(file.config()),
            free.getAsLong());
  }

  private long activationBytes(ModelConfig config) {
    EngineLimits limits =
        new EngineLimits(1, options.stepTokens(), options.maxSequences(), options.prefixSharing());
    return LlamaModel.activationBytes(config, limits.rows(), options.maxSequences());
  }

  private long weightBytes(Backend backend, ModelFile file) {
    boolean exact = options.backendOptions().precision() == Precision.FP32;
    return WeightBytes.of(
        file.tensors(), exact, isDummy() ? (_, _) -> OptionalLong.empty() : backend::keptBytes);
  }

  private int context(ModelConfig config) {
    if (options.context() > config.context()) {
      throw new InvalidRequestException(
          "context %d is longer than the model's %d; ask for less"
              .formatted(options.context(), config.context()));
    }
    return options.context() > 0 ? options.context() : config.context();
  }

  private DType kvType() {
    return switch (options.kvType()) {
      case F32 -> DType.F32;
      case BF16 -> DType.BF16;
      case F16 -> DType.F16;
      case F8 -> DType.F8;
      case I8 -> DType.I8;
      case AUTO ->
          switch (options.backendOptions().precision()) {
            case FP32 -> DType.F32;
            case FP16 -> DType.F16;
            case AUTO, BF16 -> DType.BF16;
          };
    };
  }

  private static String describe(Backend backend, KvLayout layout, int chunks, int context) {
    return "%s; KV %s, %d chunks of %d tokens (%,d MiB), context %d"
        .formatted(
            backend.description(),
            layout.type(),
            chunks,
            layout.chunkTokens(),
            (backend.kvBytesPerChunk(layout) * chunks) >> 20,
            context);
  }

  private <T extends AutoCloseable> T opened(T resource) {
    opened.push(resource);
    return resource;
  }

  /** Closes what a failed load left open. */
  @Override
  public void close() {
    closeAll(opened);
  }

  /** Closes in the order of iteration, all of them, whatever one throws. */
  static void closeAll(Iterable<AutoCloseable> resources) {
    @Nullable RuntimeException first = null;
    for (AutoCloseable resource : resources) {
      try {
        resource.close();
      } catch (Exception e) {
        RuntimeException failure =
            e instanceof RuntimeException r ? r : new IllegalStateException(e);
        if (first == null) {
          first = failure;
        } else {
          first.addSuppressed(failure);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
