/** What a server must survive: hostile input, clients that vanish, a pool too small, signals. */
@NullMarked
package org.chunkllama.bench.faults;

import org.jspecify.annotations.NullMarked;
