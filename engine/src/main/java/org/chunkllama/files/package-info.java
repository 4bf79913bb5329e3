/** Model files: GGUF, safetensors, the catalogue and downloads. */
@NullMarked
package org.chunkllama.files;

import org.jspecify.annotations.NullMarked;
