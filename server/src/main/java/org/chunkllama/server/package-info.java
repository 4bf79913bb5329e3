/** The HTTP server: {@link org.chunkllama.server.ChatServer} starts it. */
@NullMarked
package org.chunkllama.server;

import org.jspecify.annotations.NullMarked;
