/** Anthropic's messages API, its text part. */
@NullMarked
package org.chunkllama.server.anthropic;

import org.jspecify.annotations.NullMarked;
