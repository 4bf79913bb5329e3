/** The door to hardware: what a backend must offer. */
@NullMarked
package org.chunkllama.spi;

import org.jspecify.annotations.NullMarked;
