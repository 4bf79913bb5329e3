/** From a parsed request to a running generation. */
@NullMarked
package org.chunkllama.server.generate;

import org.jspecify.annotations.NullMarked;
