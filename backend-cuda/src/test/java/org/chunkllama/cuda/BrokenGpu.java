package org.chunkllama.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.chunkllama.Completion;
import org.chunkllama.GenerationRequest;
import org.chunkllama.Llm;
import org.chunkllama.LlmOptions;
import org.chunkllama.LlmOptions.LoadFormat;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.CudaStream;
import org.chunkllama.cuda.driver.Nvrtc;
import org.chunkllama.error.DeviceLostException;
import org.chunkllama.sample.GenerationOptions;

/**
 * Runs a model, then a kernel that traps in the same context, and checks what requests hear. For
 * {@link CudaFaultTest}: a process of its own.
 */
final class BrokenGpu {
  private static final String CONFIG =
      """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 128, "intermediate_size": 256,
       "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64, "vocab_size": 256,
       "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": false,
       "hidden_act": "silu"}
      """;
  private static final GenerationRequest REQUEST =
      GenerationRequest.tokens(new int[] {1, 2, 3})
          .withOptions(GenerationOptions.defaults().withMaxTokens(300).withIgnoreEos(true));

  private BrokenGpu() {}

  /** {@code arguments}: an empty folder. Exits with 0 if all is as it should be. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    Files.writeString(folder.resolve("config.json"), CONFIG);
    LlmOptions options =
        LlmOptions.defaults()
            .withBackend(CudaBackendProvider.NAME)
            .withPoolBytes(16 << 20)
            .withLoadFormat(LoadFormat.DUMMY);
    try (Llm llm = Llm.load(folder, options)) {
      Completion before = llm.generate(REQUEST).result().completions().getFirst();
      require(before.tokenIds().length == 300, "an answer before the fault: " + before);
      require(llm.isRunning(), "the engine runs");
      trap();
      for (int i = 0; i < 3; i++) {
        long begin = System.nanoTime();
        requireLost(llm);
        System.out.printf("failed after %.1f ms%n", (System.nanoTime() - begin) / 1e6);
        require(!llm.isRunning(), "the engine says that it stopped");
      }
    }
    System.out.println("all as it should be");
  }

  private static void requireLost(Llm llm) {
    try {
      llm.generate(REQUEST).result();
      throw new AssertionError("an answer after the fault");
    } catch (DeviceLostException e) {
      System.out.println(e.getMessage());
      require(String.valueOf(e.getMessage()).contains("CUDA_ERROR"), "the message has the status");
    }
  }

  /** In the process's one context, the model's. */
  private static void trap() {
    CudaContext context = CudaContext.open(0);
    byte[] cubin =
        Nvrtc.get()
            .compile(
                "trap.cu",
                "extern \"C\" __global__ void fails() { asm(\"trap;\"); }",
                Map.of(),
                List.of("--gpu-architecture=" + context.properties().architecture()));
    CudaModule module = new CudaModule(context, "trap.cu", cubin);
    module.kernel("fails", 0).call().launch(new CudaStream(context), 1, 1, 1, 0);
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new AssertionError("not so: " + what);
    }
  }
}
