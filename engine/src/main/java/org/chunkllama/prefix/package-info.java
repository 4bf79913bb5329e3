/** The prefix tree and the chunk pool: ids only, never tensors. */
@NullMarked
package org.chunkllama.prefix;

import org.jspecify.annotations.NullMarked;
