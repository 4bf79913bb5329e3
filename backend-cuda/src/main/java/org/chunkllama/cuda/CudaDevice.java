package org.chunkllama.cuda;

import java.util.List;
import java.util.Optional;
import org.chunkllama.cuda.driver.BlasLt;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaException;
import org.chunkllama.cuda.driver.CudaStream;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Nvrtc;
import org.jspecify.annotations.Nullable;

/** What all operations share: the context, its one stream, kernels, products, staging. */
final class CudaDevice implements AutoCloseable {
  /** What to say where memory for the model itself is short. */
  static final String SMALLER_MODEL =
      "choose a smaller model, a lower --max-batch-tokens, or free GPU memory";

  final CudaContext context;
  final CudaStream stream;
  final CudaKernels kernels;
  final BlasLt blas;
  final Staging staging;
  final IdleClock idle;
  final Conversions conversions;
  final MatrixProduct.Type products;
  final Nvrtc nvrtc;
  private long generation;

  CudaDevice(int ordinal, MatrixProduct.Type products) {
    this.products = products;
    nvrtc = Nvrtc.get();
    context = CudaContext.open(ordinal);
    stream = new CudaStream(context);
    kernels =
        new CudaKernels(
            context, new KernelCompiler(nvrtc, new KernelCache(KernelCache.userFolder())));
    for (String file : List.of("rows.cu", "norm.cu", "silu_gate.cu", "dequantise.cu")) {
      kernels.prepare(file, productConstant());
    }
    kernels.prepare("rotary.cu");
    blas = new BlasLt(context);
    staging = new Staging(context, stream);
    idle = new IdleClock(context, stream);
    conversions = new Conversions(this);
  }

  /** The number kernels know the type of products by ({@code numbers.cuh}). */
  String productConstant() {
    return "PRODUCT_TYPE=" + products.number();
  }

  /** Memory for a part of a model; {@code what} it is for. */
  DeviceMemory allocate(long bytes, String what) {
    return new DeviceMemory(context, bytes, what, SMALLER_MODEL);
  }

  /** Larger memory instead of {@code old}, which is freed; if there is not so much, old stays. */
  DeviceMemory larger(@Nullable DeviceMemory old, long bytes, String what) {
    DeviceMemory found = allocate(bytes, what);
    if (old != null) {
      release(old);
    }
    return found;
  }

  /** Rises whenever memory that recorded work may use was freed. */
  long generation() {
    return generation;
  }

  /** Frees memory that recorded work may use. */
  void release(DeviceMemory memory) {
    generation++;
    memory.close();
  }

  /** See {@link org.chunkllama.spi.Backend#lost}: a fault shows in whatever comes after it. */
  Optional<String> lost() {
    try {
      context.bind();
      stream.synchronize();
      return Optional.empty();
    } catch (CudaException e) {
      context.setLost();
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** Waits for the GPU before what it uses is freed; a fault that nobody saw so far is thrown. */
  void finish() {
    if (!context.isLost()) {
      context.bind();
      stream.synchronize();
    }
  }

  @Override
  public void close() {
    finish();
    staging.close();
    idle.close();
    blas.close();
    kernels.close();
    stream.close();
    context.close();
  }
}
