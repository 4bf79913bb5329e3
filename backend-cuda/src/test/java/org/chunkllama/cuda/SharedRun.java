package org.chunkllama.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * One run of tests by several processes at once: each test, and each case of a parameterised one,
 * is run by the process that asks first. All processes select the same tests and share a folder
 * (system property {@value #PROPERTY}): a file per claim, and per process a file of what came out
 * ({@code status, milliseconds, class, id, message}). Registered as a service by
 * tools/cuda/device-pack.sh, whose run.sh adds up.
 */
public final class SharedRun implements ExecutionCondition, TestExecutionListener {
  private static final String PROPERTY = "chunkllama.test.shared-run";
  private static final String TAKEN = "another process runs it";
  private static final Pattern LEAF =
      Pattern.compile(".*\\[(method|test-template-invocation|dynamic-test):[^/]*]");

  private static final @Nullable Path FOLDER = folder();

  private final Map<String, Long> started = new ConcurrentHashMap<>();

  private static @Nullable Path folder() {
    String folder = System.getProperty(PROPERTY);
    return folder == null ? null : Path.of(folder);
  }

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    String id = context.getUniqueId();
    if (FOLDER == null || !LEAF.matcher(id).matches()) {
      return ConditionEvaluationResult.enabled("not shared");
    }
    // Ids are longer than names of files may be.
    UUID name = UUID.nameUUIDFromBytes(id.getBytes(StandardCharsets.UTF_8));
    try {
      Files.writeString(FOLDER.resolve(name + ".claim"), id, StandardOpenOption.CREATE_NEW);
      return ConditionEvaluationResult.enabled("claimed");
    } catch (FileAlreadyExistsException _) {
      return ConditionEvaluationResult.disabled(TAKEN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    started.put(test.getUniqueId(), System.nanoTime());
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    Status status = result.getStatus();
    if (test.isTest() || status != Status.SUCCESSFUL) {
      String message = result.getThrowable().map(Throwable::toString).orElse("");
      write(test, status == Status.ABORTED ? "SKIPPED" : status.name(), message);
    }
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    if (!reason.contains(TAKEN)) {
      write(test, "SKIPPED", reason);
    }
  }

  private void write(TestIdentifier test, String status, String message) {
    if (FOLDER == null) {
      return;
    }
    String id = test.getUniqueId();
    Long begin = started.get(id);
    long millis = begin == null ? 0 : (System.nanoTime() - begin) / 1_000_000;
    String line =
        String.join("\t", status, Long.toString(millis), className(test), id, oneLine(message));
    try {
      Files.writeString(
          FOLDER.resolve(ProcessHandle.current().pid() + ".tsv"),
          line + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String className(TestIdentifier test) {
    return switch (test.getSource().orElse(null)) {
      case MethodSource method -> method.getClassName();
      case ClassSource type -> type.getClassName();
      case null, default -> test.getDisplayName();
    };
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\s+", " ");
  }
}
