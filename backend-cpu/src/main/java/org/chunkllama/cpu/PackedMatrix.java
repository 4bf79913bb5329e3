package org.chunkllama.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A matrix's packed copy for products by the Vector API: a piece for each run of parts of one form.
 */
final class PackedMatrix implements AutoCloseable {
  final PanelSource[] pieces;

  /** {@code [pieces]} first output of each. */
  final int[] firstOutput;

  /** {@code [pieces + 1]} panels before each. */
  final int[] firstPanel;

  private final boolean quantised;

  private PackedMatrix(List<PanelSource> list) {
    pieces = list.toArray(PanelSource[]::new);
    firstOutput = new int[pieces.length];
    firstPanel = new int[pieces.length + 1];
    boolean all = true;
    int output = 0;
    for (int i = 0; i < pieces.length; i++) {
      firstOutput[i] = output;
      output += pieces[i].outputs();
      firstPanel[i + 1] = firstPanel[i] + pieces[i].panels();
      all &= pieces[i] instanceof QuantStrips;
    }
    quantised = all;
  }

  /** Memory that packing would take. */
  static long bytes(CpuMatrix matrix) {
    long bytes = 0;
    for (int first = 0; first < matrix.parts(); first = runEnd(matrix, first)) {
      int outputs = matrix.firstOutput(runEnd(matrix, first)) - matrix.firstOutput(first);
      QuantForm form = form(matrix, first);
      bytes +=
          form == null
              ? Panels.bytes(outputs, matrix.inputs())
              : QuantStrips.bytes(form, outputs, matrix.inputs());
    }
    return bytes;
  }

  /** Packs on all workers. */
  static PackedMatrix pack(CpuMatrix matrix, Workers workers) {
    List<PanelSource> pieces = new ArrayList<>();
    for (int part = 0; part < matrix.parts(); part = runEnd(matrix, part)) {
      int first = matrix.firstOutput(part);
      int end = matrix.firstOutput(runEnd(matrix, part));
      QuantForm form = form(matrix, part);
      pieces.add(
          form == null
              ? Panels.pack(matrix, first, end, workers)
              : QuantStrips.pack(matrix, first, end, form, workers));
    }
    return new PackedMatrix(pieces);
  }

  private static @Nullable QuantForm form(CpuMatrix matrix, int part) {
    return QuantForm.of(matrix.part(part).type());
  }

  /** Part after the last whose form is that of part {@code first}. */
  private static int runEnd(CpuMatrix matrix, int first) {
    int end = first + 1;
    while (end < matrix.parts() && Objects.equals(form(matrix, end), form(matrix, first))) {
      end++;
    }
    return end;
  }

  int panels() {
    return firstPanel[pieces.length];
  }

  /** Piece that holds panel {@code panel}. */
  int pieceOf(int panel) {
    int piece = 0;
    while (panel >= firstPanel[piece + 1]) {
      piece++;
    }
    return piece;
  }

  /** Whether all pieces are quantised, so that single rows are best computed from this copy. */
  boolean quantised() {
    return quantised;
  }

  long bytes() {
    long bytes = 0;
    for (PanelSource piece : pieces) {
      bytes += piece.bytes();
    }
    return bytes;
  }

  @Override
  public void close() {
    for (PanelSource piece : pieces) {
      piece.close();
    }
  }
}
