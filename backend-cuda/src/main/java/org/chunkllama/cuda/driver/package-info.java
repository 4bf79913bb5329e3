/**
 * NVIDIA's driver, NVRTC and cuBLASLt as tables of functions, and owners of what they hand out. Raw
 * pointers do not leave this package. Start at {@link CudaContext}.
 */
@NullMarked
package org.chunkllama.cuda.driver;

import org.jspecify.annotations.NullMarked;
