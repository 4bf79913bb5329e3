/** ChunkLlama bench. */
@NullMarked
package org.chunkllama.bench;

import org.jspecify.annotations.NullMarked;
