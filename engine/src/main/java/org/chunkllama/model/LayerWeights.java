package org.chunkllama.model;

import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * One decoder layer. d = hidden, q = heads * headDim, k = kvHeads * headDim, f = feedForward.
 *
 * @param attentionNorm {@code [d]}
 * @param qkv {@code [q + 2 k][d]}: Q, K and V stacked
 * @param qkvBias {@code [q + 2 k]} or null
 * @param queryNorm {@code [headDim]} or null
 * @param keyNorm {@code [headDim]} or null
 * @param output {@code [d][q]}
 * @param outputBias {@code [d]} or null
 * @param feedForwardNorm {@code [d]}
 * @param gateUp {@code [2 f][d]}: gate and up stacked
 * @param down {@code [d][f]}
 */
record LayerWeights(
    Tensor attentionNorm,
    Matrix qkv,
    @Nullable Tensor qkvBias,
    @Nullable Tensor queryNorm,
    @Nullable Tensor keyNorm,
    Matrix output,
    @Nullable Tensor outputBias,
    Tensor feedForwardNorm,
    Matrix gateUp,
    Matrix down) {}
