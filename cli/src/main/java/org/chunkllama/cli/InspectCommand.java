package org.chunkllama.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.chunkllama.files.ModelFile;
import org.chunkllama.files.ModelLocator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code inspect}: what a model file states about itself. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Show what is in a model: architecture, shapes, number formats, tokenizer.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama inspect smollm2-135m",
      "  chunkllama inspect models/SmolLM2-135M-Instruct --tensors",
      "  chunkllama inspect model.gguf --json"
    })
final class InspectCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(
      paramLabel = "MODEL",
      description = "GGUF file, Hugging Face folder, hf:org/name[@revision] or a catalogue name.")
  private String model = "";

  @Option(names = "--tensors", description = "List every tensor.")
  private boolean tensors;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  InspectCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    Path path = ModelLocator.resolve(model, context.progress());
    try (ModelFile file = ModelFile.open(path, context.progress())) {
      ModelReport report = new ModelReport(path, file);
      if (json) {
        context.console().out().println(Json.indented(report.json(tensors)));
      } else {
        context.console().out().print(report.text(tensors));
      }
    }
    return 0;
  }
}
