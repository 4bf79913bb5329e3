/** Microbenchmarks of the kernels, for {@code chunkllama bench jmh}. */
@NullMarked
package org.chunkllama.bench.jmh;

import org.jspecify.annotations.NullMarked;
