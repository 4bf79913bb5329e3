/** Measures how a device's attention is best set for a shape of heads. */
@NullMarked
package org.chunkllama.tune;

import org.jspecify.annotations.NullMarked;
