/** OpenAI's responses API, its text part. */
@NullMarked
package org.chunkllama.server.responses;

import org.jspecify.annotations.NullMarked;
