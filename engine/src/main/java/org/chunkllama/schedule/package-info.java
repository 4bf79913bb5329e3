/** Who runs in the next step; the engine loop. */
@NullMarked
package org.chunkllama.schedule;

import org.jspecify.annotations.NullMarked;
