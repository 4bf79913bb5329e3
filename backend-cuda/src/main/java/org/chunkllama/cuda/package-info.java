/** The backend for NVIDIA GPUs. Start at {@link CudaBackend}. */
@NullMarked
package org.chunkllama.cuda;

import org.jspecify.annotations.NullMarked;
