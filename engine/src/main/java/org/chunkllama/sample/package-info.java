/** From logits to tokens. */
@NullMarked
package org.chunkllama.sample;

import org.jspecify.annotations.NullMarked;
