/**
 * Benchmarks as a library: each measures, returns records and prints nothing; the command line is
 * the cli module's.
 */
@NullMarked
package org.chunkllama.bench;

import org.jspecify.annotations.NullMarked;
