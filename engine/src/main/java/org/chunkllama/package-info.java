/** The front door: {@code Llm} for a model, {@code ChunkAttention} for the operator alone. */
@NullMarked
package org.chunkllama;

import org.jspecify.annotations.NullMarked;
