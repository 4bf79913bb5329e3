package org.chunkllama.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.Owned;

/**
 * Compiled kernels of one context: each source and set of constants is compiled and loaded once.
 * One thread uses it; what was {@linkplain #prepare prepared} is compiled by others meanwhile.
 */
final class CudaKernels implements AutoCloseable {
  private final CudaContext context;
  private final KernelCompiler compiler;
  private final Owned owned = new Owned();
  private final Map<List<String>, CudaModule> modules = new HashMap<>();
  private final Map<List<String>, CompletableFuture<byte[]>> prepared = new HashMap<>();

  CudaKernels(CudaContext context, KernelCompiler compiler) {
    this.context = context;
    this.compiler = compiler;
  }

  /** Begins to compile what {@link #module} will be asked for; errors show there. */
  void prepare(String file, String... constants) {
    List<String> key = key(file, constants);
    if (!modules.containsKey(key)) {
      prepared.computeIfAbsent(
          key,
          _ ->
              CompletableFuture.supplyAsync(
                  () -> cubin(file, constants), CudaKernels::startThread));
    }
  }

  private static void startThread(Runnable task) {
    Thread.ofPlatform().daemon().name("chunkllama-compiler").start(task);
  }

  private static List<String> key(String file, String... constants) {
    List<String> key = new ArrayList<>(Arrays.asList(constants));
    key.add(file);
    return key;
  }

  private byte[] cubin(String file, String... constants) {
    return compiler.cubin(file, context.properties().architecture(), Arrays.asList(constants));
  }

  /**
   * The module of a source.
   *
   * @param file in the folder of kernels, such as {@code norm.cu}
   * @param constants such as {@code HEAD_DIM=64}
   */
  CudaModule module(String file, String... constants) {
    List<String> key = key(file, constants);
    CudaModule module = modules.get(key);
    if (module == null) {
      CompletableFuture<byte[]> early = prepared.remove(key);
      byte[] cubin = early == null ? cubin(file, constants) : await(early);
      module = owned.add(new CudaModule(context, file + Arrays.toString(constants), cubin));
      modules.put(key, module);
    }
    return module;
  }

  private static byte[] await(CompletableFuture<byte[]> cubin) {
    try {
      return cubin.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException known -> throw known;
        case Error known -> throw known;
        case null, default -> throw e;
      }
    }
  }

  @Override
  public void close() {
    owned.close();
    modules.clear();
  }
}
