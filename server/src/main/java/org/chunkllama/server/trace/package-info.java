/** Traces of requests, by option. */
@NullMarked
package org.chunkllama.server.trace;

import org.jspecify.annotations.NullMarked;
