package org.chunkllama.schedule;

import java.util.List;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.LogitsProcessor;

/**
 * A request as the engine takes it.
 *
 * @param prompt token ids, 1 or more; not changed afterwards
 * @param options what to generate
 * @param salt the tenant; requests of different salts share nothing
 * @param continuesText the output goes on in the middle of a text, so its first space counts
 * @param processors change logits before each draw; usually none
 * @param listener told what becomes of it
 */
public record EngineRequest(
    int[] prompt,
    GenerationOptions options,
    String salt,
    boolean continuesText,
    List<LogitsProcessor> processors,
    RequestListener listener) {}
