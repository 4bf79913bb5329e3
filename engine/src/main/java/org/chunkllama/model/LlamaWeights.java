package org.chunkllama.model;

import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;

/**
 * All weights on the device. V = vocabulary, d = hidden.
 *
 * @param embedding {@code [V][d]}
 * @param layers in order
 * @param outputNorm {@code [d]}
 * @param output {@code [V][d]}; the embedding itself if tied
 */
record LlamaWeights(Matrix embedding, LayerWeights[] layers, Tensor outputNorm, Matrix output) {}
