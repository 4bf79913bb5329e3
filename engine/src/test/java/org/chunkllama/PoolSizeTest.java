package org.chunkllama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.chunkllama.error.DeviceException;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.junit.jupiter.api.Test;

class PoolSizeTest {
  /** SmolLM2's: 2,949,120 bytes per chunk. */
  private static final KvLayout LAYOUT = new KvLayout(30, 3, 64, 64, DType.F32);

  private static final long GIB = 1L << 30;

  @Test
  void anAskedSizeIsTaken() {
    assertThat(
            PoolSize.chunks(LAYOUT, LAYOUT.bytesPerChunk(), 8192, 10 * LAYOUT.bytesPerChunk() + 5))
        .isEqualTo(10);
  }

  @Test
  void automaticIsAQuarterOfWhatIsFree() {
    assertThat(PoolSize.chunks(LAYOUT, LAYOUT.bytesPerChunk(), 8192, 0, 16 * GIB))
        .isEqualTo((int) (4 * GIB / LAYOUT.bytesPerChunk()));
  }

  @Test
  void automaticIsNoMoreThanSixtyFourFullSequences() {
    assertThat(PoolSize.chunks(LAYOUT, LAYOUT.bytesPerChunk(), 100, 0, 1024 * GIB))
        .isEqualTo(64 * 2);
  }

  @Test
  void automaticPrefersOneFullContextToAQuarter() {
    long context = 128 * LAYOUT.bytesPerChunk();
    assertThat(PoolSize.chunks(LAYOUT, LAYOUT.bytesPerChunk(), 8192, 0, 3 * context))
        .isEqualTo(128);
    assertThat(PoolSize.chunks(LAYOUT, LAYOUT.bytesPerChunk(), 8192, 0, context)).isEqualTo(64);
  }

  @Test
  void lessThanAChunkIsRefused() {
    assertThatThrownBy(() -> PoolSize.chunks(LAYOUT, LAYOUT.bytesPerChunk(), 8192, 1000))
        .isInstanceOf(PoolExhaustedException.class)
        .hasMessageContaining("holds no chunk");
  }

  @Test
  void theMachinesOwnMemoryIsMeasured() {
    assertThat(PoolSize.chunks(LAYOUT, LAYOUT.bytesPerChunk(), 8192, 0)).isPositive();
  }

  @Test
  void aDevicesPoolTakesWhatTheOthersLeave() {
    assertThat(
            PoolSize.deviceChunks(LAYOUT, LAYOUT.bytesPerChunk(), 8192, 0, 6 * GIB, GIB, 16 * GIB))
        .isEqualTo((int) (9 * GIB / 10 * 9 / LAYOUT.bytesPerChunk()));
    assertThat(
            PoolSize.deviceChunks(
                LAYOUT, LAYOUT.bytesPerChunk(), 8192, GIB, 6 * GIB, GIB, 16 * GIB))
        .isEqualTo((int) (GIB / LAYOUT.bytesPerChunk()));
  }

  @Test
  void whatDoesNotFitADeviceIsRefusedWithThePlan() {
    assertThatThrownBy(() ->
            PoolSize.deviceChunks(LAYOUT, LAYOUT.bytesPerChunk(), 8192, 0, 17 * GIB, GIB, 16 * GIB))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("weights about 17,408 MiB")
        .hasMessageContaining("smaller model");
    assertThatThrownBy(() ->
            PoolSize.deviceChunks(
                LAYOUT, LAYOUT.bytesPerChunk(), 8192, 0, 6 * GIB, 10 * GIB, 16 * GIB))
        .hasMessageContaining("activations about 10,240 MiB")
        .hasMessageContaining("--max-batch-tokens");
    assertThatThrownBy(() ->
            PoolSize.deviceChunks(
                LAYOUT, LAYOUT.bytesPerChunk(), 8192, 12 * GIB, 6 * GIB, GIB, 16 * GIB))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("KV pool 12,288 MiB (279,616 tokens); 16,384 MiB are free")
        .hasMessageContaining("--kv-memory 8294m (188,736 tokens) or less")
        .hasMessageContaining("--kv-type");
  }

  @Test
  void whatIsAdvisedFits() {
    long advised = 8294L << 20;
    assertThat(
            PoolSize.deviceChunks(
                LAYOUT, LAYOUT.bytesPerChunk(), 8192, advised, 6 * GIB, GIB, 16 * GIB))
        .isEqualTo((int) (advised / LAYOUT.bytesPerChunk()));
  }
}
