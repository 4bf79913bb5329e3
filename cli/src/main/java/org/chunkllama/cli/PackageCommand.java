package org.chunkllama.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.chunkllama.error.InvalidRequestException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code package}: this program with a Java runtime of its own, in a folder. */
@Command(
    name = "package",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Write a folder that runs without a JDK: libraries, a small Java runtime, a script.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  chunkllama package",
      "  chunkllama package --output /opt/chunkllama",
      "  chunkllama package --output image && tar czf chunkllama.tar.gz image"
    })
final class PackageCommand implements Callable<Integer> {
  /** What libraries without module descriptors need, and what is found as a service. */
  private static final List<String> ALSO = List.of("jdk.jfr", "jdk.unsupported", "jdk.zipfs");

  private static final String SCRIPT = "chunkllama.sh";

  private final Context context;

  @Option(
      names = "--output",
      paramLabel = "FOLDER",
      description = "Where to; must not exist. Default: chunkllama-VERSION-SYSTEM-PROCESSOR.")
  private @Nullable Path output;

  PackageCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    Path libraries = libraries();
    Path folder = output != null ? output : Path.of(defaultName());
    if (Files.exists(folder)) {
      throw new InvalidRequestException(folder + " exists; delete it, or choose another --output");
    }
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(() ->
                new InvalidRequestException(
                    "this Java runtime has no jlink; run 'package' with a JDK"));
    Files.createDirectories(folder);
    link(jlink, modules(libraries), folder.resolve("runtime"));
    copy(libraries, folder.resolve("lib"));
    script(folder.resolve("bin"));
    context.console().say("wrote %s (%s); run %s".formatted(folder, size(folder), run(folder)));
    return 0;
  }

  private static Path run(Path folder) {
    return folder.resolve("bin").resolve("chunkllama");
  }

  /** The folder of jars that this program runs from. */
  private static Path libraries() {
    String path = System.getProperty("jdk.module.path", "");
    Path folder = Path.of(path);
    if (path.isEmpty() || !Files.isDirectory(folder)) {
      throw new InvalidRequestException("run this command as './chunkllama package'");
    }
    return folder;
  }

  private static String defaultName() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT).replace(' ', '-');
    return "chunkllama-%s-%s-%s".formatted(Version.number(), system, System.getProperty("os.arch"));
  }

  /** Modules of the JDK that the libraries say they need. */
  private static Set<String> modules(Path libraries) {
    ModuleFinder jdk = ModuleFinder.ofSystem();
    Set<String> needed = new TreeSet<>(ALSO);
    for (ModuleReference library : ModuleFinder.of(libraries).findAll()) {
      for (Requires requires : library.descriptor().requires()) {
        boolean atRunTime = !requires.modifiers().contains(Requires.Modifier.STATIC);
        if (atRunTime && jdk.find(requires.name()).isPresent()) {
          needed.add(requires.name());
        }
      }
    }
    return needed;
  }

  private static void link(ToolProvider jlink, Set<String> modules, Path runtime) {
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said);
    int status =
        jlink.run(
            writer,
            writer,
            "--add-modules",
            String.join(",", modules),
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--compress",
            "zip-6",
            "--generate-cds-archive",
            "--output",
            runtime.toString());
    if (status != 0) {
      throw new InvalidRequestException("jlink failed: " + said);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> jars = Files.list(from)) {
      for (Path jar : jars.filter(file -> file.toString().endsWith(".jar")).toList()) {
        Files.copy(jar, to.resolve(jar.getFileName()));
      }
    }
  }

  private static void script(Path bin) throws IOException {
    Files.createDirectories(bin);
    Path script = bin.resolve("chunkllama");
    try (InputStream in = PackageCommand.class.getResourceAsStream(SCRIPT)) {
      if (in == null) {
        throw new IllegalStateException("the resource " + SCRIPT + " is missing");
      }
      Files.copy(in, script);
    }
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static String size(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return Sizes.format(
          files.filter(Files::isRegularFile).mapToLong(f -> f.toFile().length()).sum());
    }
  }
}
