/** The Llama family: configuration, weights and forward pass. */
@NullMarked
package org.chunkllama.model;

import org.jspecify.annotations.NullMarked;
