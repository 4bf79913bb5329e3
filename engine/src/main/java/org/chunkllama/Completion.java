package org.chunkllama;

import java.util.List;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.TokenLogprobs;

/**
 * One answer.
 *
 * @param index 0 .. n - 1; beams are ordered best first
 * @param text without the stop string that ended it
 * @param tokenIds generated ids, the end-of-sequence id included if there was one
 * @param finishReason why it ended
 * @param stoppedBy the stop string that ended it, or empty
 * @param logprobs one entry per token id; empty if not asked for
 * @param score of a beam: sum of log probabilities / length^lengthPenalty; with bestOf the mean log
 *     probability per token; otherwise 0
 */
public record Completion(
    int index,
    String text,
    int[] tokenIds,
    FinishReason finishReason,
    String stoppedBy,
    List<TokenLogprobs> logprobs,
    double score) {}
