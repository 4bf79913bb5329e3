/** What can go wrong that is not a bug: one type per kind, each message says what to do. */
@NullMarked
package org.chunkllama.error;

import org.jspecify.annotations.NullMarked;
