/** What all endpoints share: reading JSON strictly, errors, answers, event streams. */
@NullMarked
package org.chunkllama.server.http;

import org.jspecify.annotations.NullMarked;
