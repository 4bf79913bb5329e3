/** The prefix tree over HTTP: pinned prefixes and what the tree looks like. */
@NullMarked
package org.chunkllama.server.cache;

import org.jspecify.annotations.NullMarked;
