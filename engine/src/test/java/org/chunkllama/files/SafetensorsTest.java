package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.spi.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The container: every kind of lie that a header can tell. */
class SafetensorsTest {
  private static byte[] sample() {
    return new SafetensorsWriter()
        .tensor("a", "F32", List.of(2, 3), new byte[24])
        .tensor("b", "BF16", List.of(4), new byte[8])
        .tensor("c", "F16", List.of(), new byte[2])
        .bytes();
  }

  private static List<StoredTensor> read(byte[] bytes) {
    return Safetensors.read(MemorySegment.ofArray(bytes), "m.safetensors");
  }

  private static void assertDamaged(byte[] bytes, String message) {
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith("m.safetensors")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  private static void assertDamaged(String header, int dataBytes, String message) {
    assertDamaged(SafetensorsWriter.bytes(header, new byte[dataBytes]), message);
  }

  private static String tensor(String name, String dtype, String shape, long begin, long end) {
    return "\""
        + name
        + "\":{\"dtype\":\""
        + dtype
        + "\",\"shape\":"
        + shape
        + ",\"data_offsets\":["
        + begin
        + ","
        + end
        + "]}";
  }

  @Test
  void readsEveryType() {
    List<StoredTensor> tensors = read(sample());
    assertThat(tensors).extracting(StoredTensor::name).containsExactly("a", "b", "c");
    assertThat(tensors)
        .extracting(StoredTensor::type)
        .containsExactly(DType.F32, DType.BF16, DType.F16);
    assertThat(tensors.getFirst().shape()).containsExactly(2, 3);
    assertThat(tensors.getLast().shape()).containsExactly(1);
    assertThat(tensors.get(1).data().byteSize()).isEqualTo(8);
  }

  @Test
  void everyTruncationIsNoticed() {
    byte[] whole = sample();
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> read(cut))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(ModelFileException.class);
    }
    assertDamaged(Arrays.copyOf(whole, whole.length + 3), "3 bytes follow the last tensor");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 0, 1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40, 1_000_000})
  void refusesAbsurdHeaderLengths(long length) {
    byte[] bytes = sample();
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    assertDamaged(bytes, "states a header of " + Long.toUnsignedString(length) + " bytes");
  }

  @Test
  void refusesHeadersThatAreNoObjectOfTensors() {
    assertDamaged("[]", 0, "not a JSON object");
    assertDamaged("{}{}", 0, "more follows");
    assertDamaged("{\"a\":", 0, "broken JSON");
    assertDamaged("{\"a\":1}", 0, "\"a\" is not an object");
    assertDamaged("{\"a\":null}", 0, "\"a\" is not a tensor");
    assertDamaged("{\"a\":{}}", 0, "dtype is missing");
    assertDamaged("{\"a\":{\"dtype\":\"F32\"}}", 0, "tensor \"a\" states no shape");
    assertDamaged(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "tensor \"a\" states no data_offsets");
    assertDamaged("{" + "\"x\":".repeat(50_000), 0, "broken JSON");
    assertDamaged("{\"a\":" + "[".repeat(50_000), 0, "broken JSON");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[0]", "[-1]", "[1.5]", "[\"1\"]", "[9223372036854775807]", "[4294967296,4294967296]",
        "[99999999999999999999]", "[null]", "[[1]]", "{}", "1", "[1,1,1,1,1,1,1,1,1]"
      })
  void refusesAbsurdShapes(String shape) {
    assertThatThrownBy(() ->
            read(SafetensorsWriter.bytes("{" + tensor("a", "F32", shape, 0, 4) + "}", new byte[4])))
        .isInstanceOf(ModelFileException.class);
  }

  @Test
  void refusesRangesThatDoNotHoldTheTensor() {
    assertDamaged("{" + tensor("a", "F32", "[2]", 0, 4) + "}", 4, "cannot be the bytes 0 to 4");
    assertDamaged("{" + tensor("a", "F32", "[1]", 4, 0) + "}", 4, "cannot be the bytes 4 to 0");
    assertDamaged("{" + tensor("a", "F32", "[1]", -4, 0) + "}", 4, "cannot be the bytes -4 to 0");
    assertDamaged("{" + tensor("a", "F32", "[1]", 0, 4) + "}", 0, "beyond the end");
    assertDamaged("{" + tensor("a", "F32", "[1]", 100, 104) + "}", 4, "beyond the end");
    assertDamaged(
        "{" + tensor("a", "F32", "[1]", Long.MAX_VALUE - 3, Long.MIN_VALUE) + "}", 4, "cannot be");
  }

  @Test
  void refusesOverlapsHolesAndDoubles() {
    String a = tensor("a", "F32", "[1]", 0, 4);
    assertDamaged("{" + a + "," + tensor("b", "F32", "[1]", 0, 4) + "}", 4, "overlaps");
    assertDamaged("{" + a + "," + tensor("b", "F16", "[1]", 2, 4) + "}", 4, "overlaps");
    assertDamaged("{" + a + "," + tensor("b", "F32", "[1]", 8, 12) + "}", 12, "no tensor fills");
    assertDamaged("{" + a + "," + tensor("a", "F32", "[1]", 4, 8) + "}", 8, "comes twice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"F64", "I8", "F8_E4M3", "BOOL", "f32", ""})
  void namesUnknownTypes(String dtype) {
    byte[] bytes =
        SafetensorsWriter.bytes("{" + tensor("a", dtype, "[1]", 0, 4) + "}", new byte[4]);
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("tensor \"a\" is stored as \"" + dtype + "\"")
        .hasMessageContaining("use a model in F32, F16 or BF16");
  }

  @Test
  void refusesMoreValuesThanAnyModel() {
    String header = "{\"a\":[" + "1,".repeat(1 << 20) + "1]}";
    assertDamaged(header, 0, "more than 1048576 values");
  }
}
