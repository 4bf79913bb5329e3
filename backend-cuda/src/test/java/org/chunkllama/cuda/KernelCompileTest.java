package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.chunkllama.cuda.driver.CudaException;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Nvrtc;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kernel compiles for the oldest GPU that is supported and for Hopper. Needs no GPU. */
@Execution(ExecutionMode.CONCURRENT) // most of the build's time on machines without a GPU
class KernelCompileTest {
  /** Set by {@code ./chunkllama test}, which fetches the compiler: then it must be there. */
  private static final String REQUIRED = "CHUNKLLAMA_NVRTC_REQUIRED";

  private static final MatrixProduct.Type[] PRODUCTS = MatrixProduct.Type.values();
  private static final int[] HEAD_DIMS = {64, 80, 96, 128, 256};

  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init") // set before all tests
  private static Nvrtc nvrtc;

  @BeforeAll
  static void findCompiler() {
    try {
      nvrtc = Nvrtc.get();
    } catch (CudaException e) {
      if (System.getenv(REQUIRED) != null) {
        throw e;
      }
      Assumptions.abort("no NVRTC, run ./chunkllama test: " + e.getMessage());
    }
  }

  private static void compile(String file, String architecture, String... constants) {
    KernelCompiler compiler = new KernelCompiler(nvrtc, new KernelCache(folder));
    byte[] cubin = compiler.cubin(file, architecture, List.of(constants));
    // An ELF file for NVIDIA's machine (190).
    assertThat(cubin).as(file).startsWith(0x7f, 'E', 'L', 'F');
    assertThat(cubin[18] & 255).isEqualTo(190);
    assertThat(KernelCache.isWhole(cubin)).as(file).isTrue();
    assertThat(KernelCache.isWhole(Arrays.copyOf(cubin, cubin.length - 1))).as(file).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_90a"})
  void rowKernels(String architecture) {
    for (int type = 0; type <= 2; type++) {
      for (String file :
          List.of("norm.cu", "silu_gate.cu", "rows.cu", "dequantise.cu", "random.cu")) {
        compile(file, architecture, "PRODUCT_TYPE=" + type);
      }
    }
    compile("rotary.cu", architecture);
    compile("draw.cu", architecture);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_86", "sm_90a"}) // sm_86: a block has less shared memory
  void productsWithQuantisedWeights(String architecture) {
    for (DType format : DType.values()) {
      for (int type = 1; format.isQuantised() && type <= 2; type++) {
        String[] constants = {"PRODUCT_TYPE=" + type, "FORMAT=" + format};
        compile("quantised_rows.cu", architecture, constants);
        for (int rows8 : new int[] {1, 2, 4}) {
          for (int few = 0; few < Math.min(2, rows8); few++) {
            compile(
                "quantised.cu",
                architecture,
                constants[0],
                constants[1],
                "ROWS8=" + rows8,
                "FEW_OUTPUTS=" + few);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_90a"})
  void kvCacheAndExactAttention(String architecture) {
    for (int headDim : new int[] {2, 64, 80, 96, 128, 256}) {
      for (int type = 0; type <= 2; type++) {
        String[] constants = {
          "HEAD_DIM=" + headDim, "CHUNK=" + (type == 0 ? 16 : 128), "KV_TYPE=" + type
        };
        compile("kv_cache.cu", architecture, constants);
        compile(
            "attention_exact.cu",
            architecture,
            constants[0],
            constants[1],
            constants[2],
            "GROUP=" + (1 + headDim % 7));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_90a"})
  void eightBitKvOfEveryHeadDimGroupAndChunk(String architecture) {
    for (int eight = 1; eight <= 2; eight++) {
      for (int headDim : HEAD_DIMS) {
        eightBit(architecture, headDim, 64, 4, eight);
      }
    }
    for (int group = 1; group <= 16; group++) { // and every size of chunk
      eightBit(architecture, 128, 16 * ((group - 1) % 8 + 1), group, 1 + group % 2);
    }
  }

  private static void eightBit(String architecture, int headDim, int chunk, int group, int eight) {
    String[] constants = {"HEAD_DIM=" + headDim, "CHUNK=" + chunk, "KV_EIGHT=" + eight};
    compile("kv_cache_eight.cu", architecture, constants);
    compile(
        "attention_exact.cu",
        architecture,
        constants[0],
        constants[1],
        constants[2],
        "GROUP=" + (16 + group));
    DType type = eight == 1 ? DType.F8 : DType.I8;
    attention(architecture, new KvLayout(1, 1, headDim, chunk, type), group);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"sm_80", "sm_86", "sm_90a", "sm_120"}) // sm_86, sm_120: less shared memory
  void attentionOfEveryHeadDimAndType(String architecture) {
    for (int headDim : HEAD_DIMS) {
      for (int bf16 = 0; bf16 <= 1; bf16++) {
        attention(architecture, headDim, 64, 4, bf16);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_90a"})
  void attentionOfEveryGroup(String architecture) {
    for (int group = 1; group <= 16; group++) {
      attention(architecture, 128, 64, group, 0);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_90a"})
  void attentionOfEveryChunkSize(String architecture) {
    for (int chunk = 16; chunk <= 128; chunk += 16) {
      attention(architecture, 128, chunk, 1, 1);
    }
  }

  private static void attention(String architecture, int headDim, int chunk, int group, int bf16) {
    DType type = bf16 == 1 ? DType.BF16 : DType.F16;
    attention(architecture, new KvLayout(1, 1, headDim, chunk, type), group);
  }

  /** As it is launched, beside products of each type in turn. */
  private static void attention(String architecture, KvLayout layout, int group) {
    MatrixProduct.Type products = PRODUCTS[(group + layout.headDim() / 16) % PRODUCTS.length];
    compile("attention.cu", architecture, CudaAttention.fastConstants(layout, group, products));
  }

  @Test
  void aBrokenKernelShowsTheCompilersLog() {
    assertThatThrownBy(() ->
            nvrtc.compile(
                "broken.cu",
                "__global__ void f() { undeclared = 1; }",
                Map.of(),
                List.of("--gpu-architecture=sm_80")))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("broken.cu")
        .hasMessageContaining("undeclared");
  }

  @Test
  void constantsAreNeeded() {
    List<String> none = new ArrayList<>();
    KernelCompiler compiler = new KernelCompiler(nvrtc, new KernelCache(folder));
    assertThatThrownBy(() -> compiler.cubin("norm.cu", "sm_80", none))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("PRODUCT_TYPE");
  }
}
