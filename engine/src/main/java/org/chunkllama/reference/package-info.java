/**
 * The plain backend: loops one can read, sums in double precision, one thread. It is the oracle for
 * the fast backends and runs everywhere, slowly.
 */
@NullMarked
package org.chunkllama.reference;

import org.jspecify.annotations.NullMarked;
