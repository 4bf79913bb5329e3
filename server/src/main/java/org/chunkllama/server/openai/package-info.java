/** OpenAI's API, with vLLM's extensions. */
@NullMarked
package org.chunkllama.server.openai;

import org.jspecify.annotations.NullMarked;
