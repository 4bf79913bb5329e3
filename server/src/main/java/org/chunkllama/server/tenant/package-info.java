/** Who asks: API keys, tenants, salts, limits. */
@NullMarked
package org.chunkllama.server.tenant;

import org.jspecify.annotations.NullMarked;
