/**
 * What an answer must look like: guides, their automata over bytes, and which tokens of a
 * vocabulary may come next. {@link org.chunkllama.guide.Guide} is the way in.
 */
@NullMarked
package org.chunkllama.guide;

import org.jspecify.annotations.NullMarked;
