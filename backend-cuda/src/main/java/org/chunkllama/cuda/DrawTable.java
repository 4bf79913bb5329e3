package org.chunkllama.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.chunkllama.cuda.driver.CudaEvent;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.cuda.driver.PinnedMemory;
import org.chunkllama.spi.RowDraws;

/**
 * Draws as {@code draw.cu} reads them: items, edits, masks in one piece of memory; and its results.
 * As many draws at once as fit a part of the staging ring. Results come back to memory of their
 * own, so that other things may travel before they are waited for.
 */
final class DrawTable implements AutoCloseable {
  private static final long BYTES_MOST = Staging.BYTES / 2;
  private static final int ITEM_BYTES = 80;
  private static final int DRAW = 0;
  private static final int LIST = 1;

  private final CudaDevice device;
  private DeviceMemory memory;
  private DeviceMemory results;
  private PinnedMemory back; // as large as results
  private final CudaEvent there; // the results are
  private int[] received = new int[1024];
  private int[] listAt = new int[64]; // [count] where the results of a draw's list begin; -1: none
  private int first;
  private int end;
  private int items;
  private int resultWords;
  private long editsOffset;
  private long masksOffset;

  DrawTable(CudaDevice device) {
    this.device = device;
    Owned made = new Owned();
    try {
      memory = made.add(device.allocate(1L << 16, "draws"));
      results = made.add(device.allocate((long) received.length * Integer.BYTES, "draws"));
      back = made.add(new PinnedMemory(device.context, results.bytes()));
      there = made.add(new CudaEvent(device.context));
    } catch (Throwable e) {
      made.closeAfter(e);
      throw e;
    }
  }

  /** The draw after the last one that was sent. */
  int end() {
    return end;
  }

  /** Items sent. */
  int items() {
    return items;
  }

  DeviceMemory memory() {
    return memory;
  }

  long editsOffset() {
    return editsOffset;
  }

  long masksOffset() {
    return masksOffset;
  }

  DeviceMemory results() {
    return results;
  }

  /** Sends the draws from {@code from} on, as many as fit. */
  void send(RowDraws draws, int from) {
    first = from;
    end = from;
    long bytes = 0;
    do {
      bytes += bytes(draws, end++);
    } while (end < draws.count && bytes + bytes(draws, end) <= BYTES_MOST);
    plan(draws);
    int edits = lastEdit(draws) - draws.firstEdit[first];
    int masks = masks(draws);
    editsOffset = (long) items * ITEM_BYTES;
    masksOffset = editsOffset + 8L * edits;
    long size = masksOffset + 8L * masks * draws.maskWords();
    if (size > memory.bytes()) {
      memory = device.larger(memory, 2 * size, "draws");
    }
    if (resultWords > received.length) {
      device.stream.synchronize(); // results of draws that nobody waited for
      results = device.larger(results, 2L * resultWords * Integer.BYTES, "draws");
      PinnedMemory wider = new PinnedMemory(device.context, results.bytes());
      back.close();
      back = wider;
      received = new int[2 * resultWords];
    }
    long at = device.staging.take(size);
    fill(draws, edits, at);
    device.staging.send(at, memory, 0, size);
  }

  private static long bytes(RowDraws draws, int i) {
    int edits = draws.biases[i] + draws.bans[i] + draws.penalties[i];
    return 2L * ITEM_BYTES + 8L * edits + (draws.maskIndex[i] < 0 ? 0 : 8L * draws.maskWords());
  }

  private int lastEdit(RowDraws draws) {
    int last = end - 1;
    return draws.firstEdit[last] + draws.biases[last] + draws.bans[last] + draws.penalties[last];
  }

  private int masks(RowDraws draws) {
    int count = 0;
    for (int i = first; i < end; i++) {
      count += draws.maskIndex[i] < 0 ? 0 : 1;
    }
    return count;
  }

  /** What goes where in the results: draws first, then lists; equal lists of one row once. */
  private void plan(RowDraws draws) {
    if (listAt.length < draws.count) {
      listAt = new int[2 * draws.count];
    }
    items = end - first;
    resultWords = 2 * items;
    for (int i = first; i < end; i++) {
      if (draws.listed[i] == RowDraws.UNSCORED) {
        listAt[i] = -1;
      } else if (isListOfLast(draws, i)) {
        listAt[i] = listAt[i - 1];
      } else {
        listAt[i] = resultWords;
        resultWords += 2 + 2 * draws.listed[i];
        items++;
      }
    }
  }

  private boolean isListOfLast(RowDraws draws, int i) {
    return i > first && draws.row[i] == draws.row[i - 1] && draws.listed[i] == draws.listed[i - 1];
  }

  private void fill(RowDraws draws, int edits, long at) {
    MemorySegment to = device.staging.segment();
    long item = at;
    int masks = 0;
    int maskWords = 2 * draws.maskWords(); // of 32 bits
    for (int i = first; i < end; i++, item += ITEM_BYTES) {
      boolean masked = draws.maskIndex[i] >= 0;
      drawItem(to, item, draws, i, masked ? masks * maskWords : -1);
      if (masked) {
        MemorySegment.copy(
            draws.maskBits,
            draws.maskIndex[i] * draws.maskWords(),
            to,
            ValueLayout.JAVA_LONG_UNALIGNED,
            at + masksOffset + 4L * masks++ * maskWords,
            draws.maskWords());
      }
    }
    for (int i = first; i < end; i++) {
      if (listAt[i] >= 0 && !isListOfLast(draws, i)) {
        listItem(to, item, draws, i);
        item += ITEM_BYTES;
      }
    }
    int edit = draws.firstEdit[first];
    for (int k = 0; k < edits; k++) {
      put(to, at + editsOffset + 8L * k, draws.editToken[edit + k]);
      put(to, at + editsOffset + 8L * k + 4, draws.editValue[edit + k]);
    }
  }

  private void drawItem(MemorySegment to, long item, RowDraws draws, int i, int mask) {
    put(to, item, draws.row[i]);
    put(to, item + 4, DRAW);
    put(to, item + 8, draws.topK[i]);
    put(to, item + 12, 0);
    put(to, item + 16, draws.inverse[i]);
    put(to, item + 20, draws.repetition[i]);
    put(to, item + 24, draws.presence[i]);
    put(to, item + 28, draws.frequency[i]);
    put(to, item + 32, draws.topP[i]);
    put(to, item + 40, draws.uniform[i]);
    put(to, item + 48, draws.margin[i]);
    put(to, item + 56, draws.firstEdit[i] - draws.firstEdit[first]);
    put(to, item + 60, draws.biases[i]);
    put(to, item + 64, draws.bans[i]);
    put(to, item + 68, draws.penalties[i]);
    put(to, item + 72, mask);
    put(to, item + 76, 2 * (i - first));
  }

  private void listItem(MemorySegment to, long item, RowDraws draws, int i) {
    to.asSlice(item, ITEM_BYTES).fill((byte) 0);
    put(to, item, draws.row[i]);
    put(to, item + 4, LIST);
    put(to, item + 12, draws.listed[i]);
    put(to, item + 72, -1);
    put(to, item + 76, listAt[i]);
  }

  private static void put(MemorySegment to, long at, int value) {
    to.set(ValueLayout.JAVA_INT_UNALIGNED, at, value);
  }

  private static void put(MemorySegment to, long at, float value) {
    to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, value);
  }

  private static void put(MemorySegment to, long at, double value) {
    to.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, value);
  }

  /** Queues the way back of the results. */
  void fetch() {
    results.copyTo(back, 0, 0, (long) resultWords * Integer.BYTES, device.stream);
    there.record(device.stream);
  }

  /** Waits for the results and notes what came of the draws that were sent. */
  void receive(RowDraws draws) {
    there.synchronize();
    MemorySegment.copy(back.segment(), ValueLayout.JAVA_INT, 0, received, 0, resultWords);
    for (int i = first; i < end; i++) {
      int at = 2 * (i - first);
      draws.token[i] = received[at];
      if (listAt[i] >= 0 && draws.token[i] != RowDraws.BROKEN) {
        takeList(draws, i, Float.intBitsToFloat(received[at + 1]));
      }
    }
  }

  private void takeList(RowDraws draws, int i, float logit) {
    int at = listAt[i];
    int count = received[at];
    if (count < 0) {
      draws.token[i] = RowDraws.BROKEN;
      return;
    }
    float logSum = Float.intBitsToFloat(received[at + 1]);
    draws.logprob[i] = logit - logSum;
    draws.listedCount[i] = count;
    for (int k = 0; k < count; k++) {
      draws.listedToken[i * RowDraws.LISTED_MAX + k] = received[at + 2 + k];
      draws.listedLogprob[i * RowDraws.LISTED_MAX + k] =
          Float.intBitsToFloat(received[at + 2 + draws.listed[i] + k]) - logSum;
    }
  }

  @Override
  public void close() {
    Owned.closeAll(List.of(memory, results, back, there));
  }
}
