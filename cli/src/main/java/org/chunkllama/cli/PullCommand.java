package org.chunkllama.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.chunkllama.files.Catalogue;
import org.chunkllama.files.ModelLocator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pull}: fetches a model into the cache. */
@Command(
    name = "pull",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Fetch a model into the cache, and print where it is.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama pull --list",
      "  chunkllama pull smollm2-135m",
      "  chunkllama pull hf:HuggingFaceTB/SmolLM2-360M-Instruct",
      "",
      "The cache is $CHUNKLLAMA_HOME, else $XDG_CACHE_HOME/chunkllama, else ~/.cache/chunkllama.",
      "A transfer that broke off goes on where it stopped."
    })
final class PullCommand implements Callable<Integer> {
  private final Context context;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Parameters(
      paramLabel = "MODEL",
      arity = "0..1",
      description = "A catalogue name, or hf:org/name[@revision].")
  private @Nullable String model;

  @Option(names = "--list", description = "List the models known by name.")
  private boolean list;

  @Option(names = "--json", description = "Print the list as JSON.")
  private boolean json;

  PullCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    ModelLocator locator = ModelLocator.fromEnvironment();
    if (list) {
      list(locator);
    } else if (model != null) {
      Path path = locator.locate(model, context.progress());
      context.console().out().println(path);
    } else {
      throw new ParameterException(spec.commandLine(), "give a MODEL, or --list");
    }
    return 0;
  }

  private void list(ModelLocator locator) {
    for (Catalogue.Entry entry : locator.catalogue().entries()) {
      boolean here = locator.cached(entry).isPresent();
      context.console().out().println(json ? Json.line(json(entry, here)) : line(entry, here));
    }
  }

  private static String line(Catalogue.Entry entry, boolean here) {
    return String.format(
        Locale.ROOT,
        "%-20s %10s  %-12s %s%s",
        entry.name(),
        Sizes.format(entry.bytes()),
        entry.licence(),
        entry.description(),
        here ? " (fetched)" : "");
  }

  private static Map<String, Object> json(Catalogue.Entry entry, boolean here) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", entry.name());
    json.put("description", entry.description());
    json.put("licence", entry.licence());
    json.put("bytes", entry.bytes());
    json.put("sha256", entry.sha256());
    json.put("fetched", here);
    return json;
  }
}
