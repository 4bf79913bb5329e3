package org.chunkllama.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaModule;

/**
 * Compiled kernels of one context: each source and set of constants is compiled and loaded once.
 */
final class CudaKernels implements AutoCloseable {
  private final CudaContext context;
  private final KernelCompiler compiler;
  private final Map<List<String>, CudaModule> modules = new HashMap<>();

  CudaKernels(CudaContext context, KernelCompiler compiler) {
    this.context = context;
    this.compiler = compiler;
  }

  /**
   * The module of a source.
   *
   * @param file in the folder of kernels, such as {@code norm.cu}
   * @param constants such as {@code HEAD_DIM=64}
   */
  CudaModule module(String file, String... constants) {
    List<String> key = new ArrayList<>(Arrays.asList(constants));
    key.add(file);
    CudaModule module = modules.get(key);
    if (module == null) {
      byte[] cubin =
          compiler.cubin(file, context.properties().architecture(), Arrays.asList(constants));
      module = new CudaModule(context, file + Arrays.toString(constants), cubin);
      modules.put(key, module);
    }
    return module;
  }

  @Override
  public void close() {
    modules.values().forEach(CudaModule::close);
    modules.clear();
  }
}
