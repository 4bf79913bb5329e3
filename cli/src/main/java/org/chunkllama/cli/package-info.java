/** ChunkLlama cli. */
@NullMarked
package org.chunkllama.cli;

import org.jspecify.annotations.NullMarked;
