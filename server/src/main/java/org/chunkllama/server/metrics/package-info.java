/** Prometheus figures under vLLM's names and our own. */
@NullMarked
package org.chunkllama.server.metrics;

import org.jspecify.annotations.NullMarked;
