package org.chunkllama.spi;

import org.chunkllama.plan.AttentionPlan;

/**
 * All that the operations of a step read beside weights, activations and the cache.
 *
 * @param tokens {@code [attention.rows]} what is embedded
 * @param positions {@code [attention.rows]} what queries and keys are rotated by
 * @param outputRows {@code [outputs]} what is gathered
 * @param outputs rows whose results are wanted
 * @param attention chunks and segments
 */
public record StepInputs(
    int[] tokens, int[] positions, int[] outputRows, int outputs, AttentionPlan attention) {}
