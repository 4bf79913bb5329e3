package org.chunkllama.files;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;

/**
 * Any bytes give a model, or one of the two typed errors in one line: nothing else. Normal builds
 * run the seeds beside this class; {@code JAZZER_FUZZ=1} searches for more.
 */
class ReadersFuzzTest {
  @FuzzTest(maxDuration = "60s")
  void gguf(byte[] bytes) {
    allowRefusal(() ->
        OpenModel.inArena(arena ->
                GgufModel.model(
                    GgufReader.read(MemorySegment.ofArray(bytes), "m.gguf"),
                    "m.gguf",
                    Path.of("m.gguf"),
                    arena,
                    Progress.NONE))
            .close());
  }

  @FuzzTest(maxDuration = "60s")
  void safetensors(byte[] bytes) {
    allowRefusal(() -> Safetensors.read(MemorySegment.ofArray(bytes), "m.safetensors"));
  }

  @FuzzTest(maxDuration = "60s")
  void config(byte[] bytes) {
    allowRefusal(() -> HfConfig.read(Json.parse(bytes, "config.json"), true, Progress.NONE));
  }

  private static void allowRefusal(Runnable reader) {
    try {
      reader.run();
    } catch (ModelFileException | UnsupportedModelException e) {
      String message = String.valueOf(e.getMessage());
      if (message.contains("\n") || message.length() > 1_000) {
        throw new AssertionError("not one readable line: " + message, e);
      }
    }
  }
}
