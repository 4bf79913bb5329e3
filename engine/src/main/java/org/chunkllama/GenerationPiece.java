package org.chunkllama;

import java.util.List;
import org.chunkllama.sample.TokenLogprobs;

/**
 * A piece of a streamed answer.
 *
 * @param index which completion, 0 .. n - 1
 * @param text whole characters; may be empty while a character or a possible stop string is
 *     incomplete
 * @param tokenIds the tokens that came with it
 * @param logprobs one entry per token id; empty if not asked for
 */
public record GenerationPiece(
    int index, String text, int[] tokenIds, List<TokenLogprobs> logprobs) {}
