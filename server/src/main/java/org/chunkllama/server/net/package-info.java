/** Connections: limits, deadlines, and noticing that a client is gone. */
@NullMarked
package org.chunkllama.server.net;

import org.jspecify.annotations.NullMarked;
