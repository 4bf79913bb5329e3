/** The plain backend: loops over floats, the oracle for the others. */
@NullMarked
package org.chunkllama.reference;

import org.jspecify.annotations.NullMarked;
