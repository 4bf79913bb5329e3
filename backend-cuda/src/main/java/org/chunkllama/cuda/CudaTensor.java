package org.chunkllama.cuda;

import java.util.Objects;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Rows of fp32 on the GPU, and 16-bit twins of what others read in 16 bits, made when they first
 * ask: of the whole tensor for products, of its queries for attention. Kernels that write the
 * tensor fill the twins along with it, or leave them to be filled when they are read. What
 * attention writes for a product goes to the twin alone; fp32 is made of it if somebody asks.
 */
final class CudaTensor implements Tensor {
  private final CudaDevice device;
  private final int rows;
  private final int columns;
  private final DeviceMemory memory;
  private @Nullable DeviceMemory twin;
  private boolean twinCurrent;
  private int twinOnlyRows; // first rows that only the twin holds
  private @Nullable QueryTwin queries;
  private int queryRows; // first rows of queries that are current

  CudaTensor(CudaDevice device, int rows, int columns) {
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException(
          "tensor shape %d x %d must be positive".formatted(rows, columns));
    }
    this.device = device;
    this.rows = rows;
    this.columns = columns;
    this.memory =
        device.allocate(
            Math.multiplyExact((long) rows * Float.BYTES, (long) columns), "an activation");
    device.zero(memory);
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
  }

  /** Rows of {@link #columns} floats, current. */
  DeviceMemory memory() {
    if (twinOnlyRows > 0) {
      device.conversions.widen(twin(), twinStride(), twinOnlyRows, memory, columns);
      twinOnlyRows = 0;
    }
    return memory;
  }

  /** Values from one row of the twin to the next: a multiple of 8, the rest zeros. */
  int twinStride() {
    return CudaMatrix.stride(columns);
  }

  /** The twin for a kernel that writes tensor and twin; null as long as nobody asked for one. */
  @Nullable DeviceMemory twinToWrite() {
    twinCurrent = twin != null;
    twinOnlyRows = 0;
    queryRows = 0;
    return twin;
  }

  /**
   * The twin for a kernel that writes the first {@code count} rows of the twin alone; null as long
   * as nobody asked for one.
   */
  @Nullable DeviceMemory twinToWriteAlone(int count) {
    if (twin != null) {
      if (count < twinOnlyRows) {
        memory(); // what further rows hold stays
      }
      twinCurrent = true;
      twinOnlyRows = count;
      queryRows = 0;
    }
    return twin;
  }

  /** A kernel writes the tensor, or some of it, without its twins. */
  DeviceMemory memoryToWrite() {
    DeviceMemory current = memory();
    twinCurrent = false;
    queryRows = 0;
    return current;
  }

  /** True if the twin holds what the tensor does. */
  boolean isTwinCurrent() {
    return twinCurrent;
  }

  /** The twin, made at first. */
  DeviceMemory twin() {
    if (twin == null) {
      if (device.products == MatrixProduct.Type.F32) {
        throw new IllegalStateException("products read fp32 itself");
      }
      DeviceMemory made =
          device.allocate((long) rows * twinStride() * Short.BYTES, "an activation");
      device.zero(made);
      twin = made;
    }
    return twin;
  }

  /** The twin was filled from the tensor. */
  void setTwinCurrent() {
    twinCurrent = true;
  }

  /** The queries' twin for a kernel that writes {@code count} columns of it; null if not wanted. */
  @Nullable QueryTwin queriesToWrite(int count) {
    return queries != null && queries.columns() <= count ? queries : null;
  }

  /** The first {@code count} rows of queries were written along with the tensor. */
  void setQueriesCurrent(int count) {
    queryRows = count;
  }

  /** The first {@code queryColumns} columns of {@code count} rows as attention reads them. */
  QueryTwin queries(MatrixProduct.Type type, int queryColumns, int count) {
    QueryTwin found = queries;
    if (found == null || found.type() != type || found.columns() != queryColumns) {
      if (found != null) {
        queries = null; // also if there is no memory for the others
        device.release(found.memory());
      }
      long bytes = (long) rows * QueryTwin.stride(queryColumns) * Short.BYTES;
      found = new QueryTwin(device.allocate(bytes, "an activation"), queryColumns, type);
      queries = found;
      queryRows = 0;
    }
    if (queryRows < count) {
      device.conversions.narrowQueries(memory(), columns, count, found);
      queryRows = count;
    }
    return found;
  }

  @Override
  public void write(int row, float[] values, int offset) {
    Objects.checkIndex(row, rows);
    Objects.checkFromIndexSize(offset, columns, values.length);
    device.context.bind();
    device.staging.send(values, offset, columns, memoryToWrite(), (long) row * columns * 4);
  }

  @Override
  public void read(int row, float[] values, int offset) {
    Objects.checkIndex(row, rows);
    Objects.checkFromIndexSize(offset, columns, values.length);
    device.context.bind();
    device.staging.receive(memory(), (long) row * columns * 4, values, offset, columns);
  }

  @Override
  public void close() {
    device.handedOut.forget(this);
    DeviceMemory oldTwin = twin;
    QueryTwin oldQueries = queries;
    twin = null;
    queries = null;
    device.release(memory, oldTwin, oldQueries == null ? null : oldQueries.memory());
  }
}
