package org.chunkllama.cuda;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.chunkllama.cuda.driver.BlasLt;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaException;
import org.chunkllama.cuda.driver.CudaLibraries;
import org.chunkllama.cuda.driver.CudaStream;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Nvrtc;
import org.chunkllama.cuda.driver.Owned;
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

  /** Open tensors and caches: vectors among weights, which nobody else closes, and the user's. */
  final Owned handedOut;

  final MatrixProduct.Type products;
  final Nvrtc nvrtc;
  final Path folder;
  private final Owned owned = new Owned();
  private long generation;
  private boolean closed;

  /**
   * The first GPU.
   *
   * @param folder keeps compiled kernels and tunings
   * @param products type of weights and of what products read
   */
  CudaDevice(CudaLibraries libraries, Path folder, MatrixProduct.Type products) {
    this.products = products;
    this.folder = folder;
    nvrtc = libraries.nvrtc();
    try {
      context = owned.add(libraries.open(0));
      stream = owned.add(new CudaStream(context));
      kernels =
          owned.add(new CudaKernels(context, new KernelCompiler(nvrtc, new KernelCache(folder))));
      for (String file : List.of("rows.cu", "norm.cu", "silu_gate.cu", "dequantise.cu")) {
        kernels.prepare(file, productConstant());
      }
      kernels.prepare("rotary.cu");
      blas = owned.add(libraries.blas(context));
      staging = owned.add(new Staging(context, stream));
      idle = owned.add(new IdleClock(context, stream));
      conversions = new Conversions(this);
      handedOut = owned.add(new Owned());
    } catch (Throwable e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  /** The number kernels know the type of products by ({@code numbers.cuh}). */
  String productConstant() {
    return "PRODUCT_TYPE=" + products.number();
  }

  /** Memory for a part of a model; {@code what} it is for. */
  DeviceMemory allocate(long bytes, String what) {
    return new DeviceMemory(context, bytes, what, SMALLER_MODEL);
  }

  /** Fills new memory with zeros; it is freed if that fails. */
  void zero(DeviceMemory memory) {
    try {
      memory.fill(0, 0, memory.bytes(), stream);
    } catch (Throwable e) {
      Owned.close(memory, e);
      throw e;
    }
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

  /** Frees memory that recorded work may use, all of it, whichever fails. */
  void release(@Nullable DeviceMemory... memories) {
    generation++;
    Owned.closeAll(Stream.of(memories).filter(Objects::nonNull).toList());
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

  /**
   * Waits for the GPU before what it uses is freed; a fault that nobody saw so far is thrown.
   * Nothing once this is closed: the stream is gone then.
   */
  void finish() {
    if (!closed && !context.isLost()) {
      lost()
          .ifPresent(fault -> {
            throw new CudaException(fault);
          });
    }
  }

  private void finishLast() {
    try {
      finish();
    } finally {
      closed = true;
    }
  }

  @Override
  public void close() {
    owned.add(this::finishLast);
    owned.close();
  }
}
