/** ChunkLlama backend-contract. */
@NullMarked
package org.chunkllama.contract;

import org.jspecify.annotations.NullMarked;
