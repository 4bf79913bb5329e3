package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.spi.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The container: every kind of lie that a header can tell. */
class GgufReaderTest {
  private static final int TENSOR_COUNT = 8;
  private static final int KEY_COUNT = 16;
  private static final int FIRST_KEY_LENGTH = 24;

  /** Two tensors and a value of every kind. */
  private static GgufWriter sample() {
    return new GgufWriter()
        .put("int", 7)
        .put("long", 1L << 40)
        .put("real", 0.5f)
        .put("flag", true)
        .put("text", "grün")
        .put("texts", List.of("a", "", "c"))
        .put("ints", new int[] {1, -2, 3})
        .put("reals", new float[] {1, 2})
        .tensor("matrix", DType.F32, 4, 2, new byte[32])
        .tensor("packed", DType.Q8_0, 32, 3, new byte[3 * 34]);
  }

  private static GgufReader.Contents read(byte[] bytes) {
    return GgufReader.read(MemorySegment.ofArray(bytes), "m.gguf");
  }

  private static void assertDamaged(byte[] bytes, String message) {
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith("m.gguf")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  private static byte[] patched(GgufWriter writer, Consumer<ByteBuffer> patch) {
    byte[] bytes = writer.bytes();
    patch.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void readsEveryVersion(int version) {
    GgufWriter writer = sample();
    writer.version = version;
    GgufReader.Contents contents = read(writer.bytes());
    Fields metadata = contents.metadata();
    assertThat(metadata.integer("int", 0, 10)).isEqualTo(7);
    assertThat(metadata.above("long", 0)).isEqualTo(0x1p40);
    assertThat(metadata.above("real", 0)).isEqualTo(0.5);
    assertThat(metadata.flag("flag", false)).isTrue();
    assertThat(metadata.string("text")).isEqualTo("grün");
    assertThat(metadata.strings("texts")).containsExactly("a", "", "c");
    assertThat(metadata.integers("ints")).containsExactly(1, -2, 3);
    assertThat(metadata.reals("reals")).containsExactly(1, 2);
    assertThat(contents.tensors())
        .extracting(StoredTensor::name)
        .containsExactly("matrix", "packed");
    assertThat(contents.tensors().getFirst().shape()).containsExactly(2, 4);
    assertThat(contents.tensors().getLast().data().byteSize()).isEqualTo(102);
  }

  @Test
  void readsTensorsWhereTheyAre() {
    byte[] data = new byte[32];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) i;
    }
    GgufWriter writer =
        new GgufWriter()
            .tensor("first", DType.F32, 1, 1, new byte[4])
            .tensor("second", DType.F32, 8, 1, data);
    writer.alignment = 64;
    writer.put("general.alignment", 64);
    StoredTensor second = read(writer.bytes()).tensors().getLast();
    assertThat(second.data().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
  }

  @Test
  void everyTruncationIsNoticed() {
    byte[] whole = sample().bytes();
    int end = whole.length; // the last tensor ends the file
    for (int length = 0; length < end; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> read(cut))
          .as("%d of %d bytes", length, end)
          .isInstanceOf(ModelFileException.class);
    }
  }

  @Test
  void refusesOtherFiles() {
    assertDamaged("#!/bin/sh\n".getBytes(StandardCharsets.UTF_8), "is not a GGUF");
    assertDamaged(new byte[0], "is not a GGUF file; give");
  }

  @ParameterizedTest
  @CsvSource({"0, version 0", "4, version 4", "0x01000000, big-endian", "0x03000000, big-endian"})
  void refusesOtherVersions(String version, String message) {
    byte[] bytes = patched(sample(), b -> b.putInt(4, Integer.decode(version)));
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, 100_000})
  void refusesAbsurdCounts(long count) {
    assertDamaged(patched(sample(), b -> b.putLong(TENSOR_COUNT, count)), "the tensor count");
    assertDamaged(patched(sample(), b -> b.putLong(KEY_COUNT, count)), "the metadata count");
    assertDamaged(patched(sample(), b -> b.putLong(FIRST_KEY_LENGTH, count)), "a metadata key");
  }

  @Test
  void refusesCountsThatAreSlightlyWrong() {
    for (int delta : new int[] {-1, 1}) {
      assertThatThrownBy(() ->
              read(patched(sample(), b -> b.putLong(KEY_COUNT, b.getLong(KEY_COUNT) + delta))))
          .isInstanceOf(ModelFileException.class);
    }
    assertThatThrownBy(() -> read(patched(sample(), b -> b.putLong(TENSOR_COUNT, 3))))
        .isInstanceOf(ModelFileException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void refusesArraysLongerThanTheFile(int elementType) {
    for (long count : new long[] {1_000, Integer.MAX_VALUE, Long.MAX_VALUE, -1}) {
      byte[] value =
          ByteBuffer.allocate(12)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(elementType)
              .putLong(count)
              .array();
      GgufWriter writer = new GgufWriter().put("list", new GgufWriter.Raw(9, value));
      assertDamaged(writer.bytes(), "metadata \"list\"");
    }
  }

  @Test
  void refusesMoreElementsThanAnyVocabulary() {
    int count = (1 << 22) + 1;
    byte[] value =
        ByteBuffer.allocate(12 + count)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(0)
            .putLong(count)
            .array();
    GgufWriter writer = new GgufWriter().put("list", new GgufWriter.Raw(9, value));
    assertDamaged(writer.bytes(), "beyond the limit");
  }

  @Test
  void refusesArraysNestedTooDeeply() {
    ByteBuffer value = ByteBuffer.allocate(12 * 6).order(ByteOrder.LITTLE_ENDIAN);
    for (int depth = 0; depth < 6; depth++) {
      value.putInt(9).putLong(1);
    }
    GgufWriter writer = new GgufWriter().put("list", new GgufWriter.Raw(9, value.array()));
    assertDamaged(writer.bytes(), "too deeply");
  }

  @Test
  void refusesUnknownValueTypes() {
    assertDamaged(
        new GgufWriter().put("x", new GgufWriter.Raw(13, new byte[8])).bytes(), "value type 13");
    byte[] array = {13, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    assertDamaged(
        new GgufWriter().put("x", new GgufWriter.Raw(9, array)).bytes(), "element type 13");
  }

  @Test
  void refusesWhatComesTwice() {
    byte[] keys = new GgufWriter().put("aa", 1).put("ab", 2).bytes();
    int second = 24 + 8 + 2 + 4 + 4 + 8;
    keys[second + 1] = 'a';
    assertDamaged(keys, "metadata \"aa\" comes twice");
    GgufWriter tensors = sample().tensor("matrix", DType.F32, 1, 1, new byte[4]);
    assertDamaged(tensors.bytes(), "tensor \"matrix\" comes twice");
  }

  @Test
  void refusesAbsurdShapes() {
    long huge = Long.MAX_VALUE;
    long[][] shapes = {
      {}, {1, 1, 1, 1, 1}, {0}, {4, 0}, {-1}, {huge}, {1L << 32, 1L << 32}, {3, -1}
    };
    for (long[] shape : shapes) {
      GgufWriter writer = new GgufWriter();
      writer.tensors.add(new GgufWriter.Tensor("odd", 0, shape, new byte[4]));
      assertDamaged(writer.bytes(), "tensor \"odd\"");
    }
  }

  @Test
  void refusesShapesThatDoNotFillBlocks() {
    GgufWriter writer = new GgufWriter().tensor("odd", DType.Q4_K, 255, 1, new byte[144]);
    assertDamaged(writer.bytes(), "does not fill blocks of Q4_K");
  }

  @ParameterizedTest
  @CsvSource({"6, Q5_0", "10, Q2_K", "23, IQ4_XS", "4, number 4", "4294967295, number 4294967295"})
  void namesUnknownTensorTypes(long type, String name) {
    GgufWriter writer = new GgufWriter();
    writer.tensors.add(new GgufWriter.Tensor("odd", type, new long[] {256}, new byte[256]));
    assertThatThrownBy(() -> read(writer.bytes()))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("tensor \"odd\" is stored as type " + name + ",")
        .hasMessageContaining("use a file in F32");
  }

  @Test
  void refusesTensorsOutsideTheFile() {
    for (long offset : new long[] {64, 1 << 20, Long.MAX_VALUE - 31}) {
      GgufWriter writer = sample();
      writer.offsets.put("packed", offset);
      assertDamaged(writer.bytes(), "tensor \"packed\" reaches beyond the end");
    }
    GgufWriter writer = sample();
    writer.offsets.put("packed", -32L);
    assertDamaged(writer.bytes(), "tensor \"packed\" states");
  }

  @Test
  void refusesTensorsThatOverlap() {
    GgufWriter writer = sample();
    writer.offsets.put("packed", 0L);
    assertDamaged(writer.bytes(), "overlaps another tensor");
  }

  @Test
  void refusesBadAlignment() {
    GgufWriter writer = sample();
    writer.offsets.put("packed", 31L);
    assertDamaged(writer.bytes(), "not a multiple of 32");
    for (int alignment : new int[] {0, 3, -32, 1 << 21}) {
      assertDamaged(sample().put("general.alignment", alignment).bytes(), "general.alignment");
    }
    assertDamaged(sample().put("general.alignment", "32").bytes(), "general.alignment");
  }

  @Test
  void messagesStayOnOneReadableLine() {
    String name = "a\nb\u001b[31m" + "x".repeat(500);
    GgufWriter writer = new GgufWriter();
    writer.tensors.add(new GgufWriter.Tensor(name, 0, new long[] {0}, new byte[0]));
    assertThatThrownBy(() -> read(writer.bytes()))
        .hasMessageContaining("\"a?b?[31mxxx")
        .hasMessageContaining("...\"")
        .message()
        .hasSizeLessThan(300);
  }

  @Test
  void brokenUtf8IsReplaced() {
    byte[] value = {2, 0, 0, 0, 0, 0, 0, 0, (byte) 0xc3, 'x'};
    Fields metadata =
        read(new GgufWriter().put("x", new GgufWriter.Raw(8, value)).bytes()).metadata();
    assertThat(metadata.string("x")).isEqualTo("\ufffdx");
  }
}
