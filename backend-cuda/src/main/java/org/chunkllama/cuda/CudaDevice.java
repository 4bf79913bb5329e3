package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.BlasLt;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaStream;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Nvrtc;

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

  /** Rises whenever memory that recorded work may use was freed. */
  long generation() {
    return generation;
  }

  /** Frees memory that recorded work may use. */
  void release(DeviceMemory memory) {
    generation++;
    memory.close();
  }

  @Override
  public void close() {
    context.bind();
    stream.synchronize();
    staging.close();
    idle.close();
    blas.close();
    kernels.close();
    stream.close();
    context.close();
  }
}
