/** The server under load, beside itself without sharing and beside vLLM's. */
@NullMarked
package org.chunkllama.bench.server;

import org.jspecify.annotations.NullMarked;
