/** CPU backend: two-phase attention and matrix products on all cores. */
@NullMarked
package org.chunkllama.cpu;

import org.jspecify.annotations.NullMarked;
