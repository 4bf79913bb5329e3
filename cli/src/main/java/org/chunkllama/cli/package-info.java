/**
 * The {@code chunkllama} command. {@code ChunkLlama} is the way in; one class per subcommand;
 * {@code Console} is all that commands know of the outside.
 */
@NullMarked
package org.chunkllama.cli;

import org.jspecify.annotations.NullMarked;
