/** Tokenizers, incremental detokenization and chat templates. */
@NullMarked
package org.chunkllama.text;

import org.jspecify.annotations.NullMarked;
