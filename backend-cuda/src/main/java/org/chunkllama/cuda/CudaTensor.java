package org.chunkllama.cuda;

import java.util.Objects;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Rows of fp32 on the GPU, and 16-bit twins of what others read in 16 bits, made when they first
 * ask: of the whole tensor for products, of its queries for attention. What is computed for a
 * product alone goes to the twin alone; fp32 is made of it if somebody asks. Other kernels leave
 * the twins to be filled when they are read.
 */
final class CudaTensor implements Tensor {
  private final CudaDevice device;
  private final int rows;
  private final int columns;
  private final DeviceMemory memory;
  private @Nullable DeviceMemory twin;
  private int twinRows; // first rows that the twin holds as they are
  private int twinOnlyRows; // first rows that nothing but the twin holds
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

  /**
   * The twin for a kernel that writes the first {@code count} rows of the twin alone; null as long
   * as nobody asked for one.
   */
  @Nullable DeviceMemory twinToWriteAlone(int count) {
    if (twin != null) {
      twinRows = Math.max(twinRows, count);
      twinOnlyRows = Math.max(twinOnlyRows, count);
      queryRows = 0;
    }
    return twin;
  }

  /** A kernel writes the tensor, or some of it, without its twins. */
  DeviceMemory memoryToWrite() {
    DeviceMemory current = memory();
    twinRows = 0;
    queryRows = 0;
    return current;
  }

  /** So many rows, the first ones, the twin holds as they are. */
  int twinRows() {
    return twinRows;
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

  /** The twin's first rows were filled from the tensor. */
  void setTwinRows(int count) {
    twinRows = count;
  }

  /** The queries' twin for a kernel that writes {@code count} columns of it; null if not wanted. */
  @Nullable QueryTwin queriesToWrite(int count) {
    return queries != null && queries.columns() <= count ? queries : null;
  }

  /** The first {@code count} rows of queries were written. */
  void setQueriesCurrent(int count) {
    queryRows = count;
  }

  /** The first {@code queryColumns} columns of {@code count} rows as attention reads them. */
  QueryTwin queries(MatrixProduct.Type type, int queryColumns, int count) {
    QueryTwin found = queryTwin(type, queryColumns);
    if (queryRows < count) {
      device.conversions.narrowQueries(memory(), columns, count, found);
      queryRows = count;
    }
    return found;
  }

  /** The queries' twin, made at first, whatever it holds. */
  QueryTwin queryTwin(MatrixProduct.Type type, int queryColumns) {
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
