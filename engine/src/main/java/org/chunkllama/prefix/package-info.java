/**
 * Who shares which chunks: the prefix tree, the chunk pool, sequences and pins. Ids only, no
 * tensors. {@link org.chunkllama.prefix.PrefixTree} is the way in.
 */
@NullMarked
package org.chunkllama.prefix;

import org.jspecify.annotations.NullMarked;
