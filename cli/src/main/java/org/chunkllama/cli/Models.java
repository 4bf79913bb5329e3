package org.chunkllama.cli;

import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.chunkllama.Llm;
import org.chunkllama.LlmOptions;
import org.chunkllama.LlmOptions.LoadFormat;
import org.chunkllama.files.ModelLocator;

/** From what the user calls a model to a loaded one. */
final class Models {
  private Models() {}

  /** Finds (or downloads) and loads the model, telling how far it has come. */
  static Llm load(ModelOptions options, Context context) {
    return load(options, unchanged -> unchanged, context);
  }

  /** The same with options that only one command has. */
  static Llm load(ModelOptions options, UnaryOperator<LlmOptions> more, Context context) {
    LlmOptions llmOptions = more.apply(options.llmOptions());
    Path path =
        llmOptions.loadFormat() == LoadFormat.DUMMY
            ? ModelLocator.resolveConfig(options.model(), context.progress())
            : ModelLocator.resolve(options.model(), context.progress());
    return Llm.load(path, llmOptions, context.progress());
  }
}
