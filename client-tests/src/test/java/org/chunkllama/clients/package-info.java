/** Clients that others wrote, unchanged, against a started server. */
@NullMarked
package org.chunkllama.clients;

import org.jspecify.annotations.NullMarked;
