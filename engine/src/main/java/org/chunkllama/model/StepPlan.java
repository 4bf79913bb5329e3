package org.chunkllama.model;

import org.chunkllama.plan.AttentionPlan;

/**
 * What one step computes, read by every layer. The arrays may be longer than what counts and are
 * reused by the next step.
 *
 * @param tokens {@code [rows]} token id of each row
 * @param positions {@code [rows]} position of each row in its sequence
 * @param outputRows {@code [outputs]} rows whose logits are wanted, ascending
 * @param outputs entries of {@code outputRows} that count, 0 to rows
 * @param attention chunks and segments; its {@code rows} is the number of rows
 */
public record StepPlan(
    int[] tokens, int[] positions, int[] outputRows, int outputs, AttentionPlan attention) {
  /** Rows in this step. */
  public int rows() {
    return attention.rows;
  }
}
