package org.chunkllama.model;

import org.chunkllama.spi.RotaryTable;

/**
 * A Llama-family model as data: no class per family.
 *
 * @param architecture as the file calls it: llama, mistral, qwen2, qwen3
 * @param layers decoder layers
 * @param hidden width of the residual stream
 * @param heads query heads
 * @param kvHeads key/value heads; divides heads
 * @param headDim values per head (not always hidden / heads)
 * @param feedForward width of the gated MLP
 * @param vocabulary rows of the embedding
 * @param context longest sequence in tokens the file states
 * @param normEpsilon of RMS norms
 * @param ropeTheta base of the rotary frequencies
 * @param ropeDim values of a head that are rotated
 * @param ropeScaling stretching of those frequencies
 * @param ropeLayout which values form a pair; told by the file format
 * @param qkvBias the Q, K and V projections have biases (Qwen2)
 * @param outputBias the attention output projection has a bias
 * @param qkNorm query and key heads are normed before rotation (Qwen3)
 * @param tiedEmbedding the output layer is the embedding
 */
public record ModelConfig(
    String architecture,
    int layers,
    int hidden,
    int heads,
    int kvHeads,
    int headDim,
    int feedForward,
    int vocabulary,
    int context,
    float normEpsilon,
    double ropeTheta,
    int ropeDim,
    RopeScaling ropeScaling,
    RotaryTable.Layout ropeLayout,
    boolean qkvBias,
    boolean outputBias,
    boolean qkNorm,
    boolean tiedEmbedding) {}
