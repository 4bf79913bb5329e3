/** What one step computes, as data: built once per step, read by every layer. */
@NullMarked
package org.chunkllama.plan;

import org.jspecify.annotations.NullMarked;
