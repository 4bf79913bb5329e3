/**
 * What every backend must do, as test classes to extend: each asks only how the backend is opened.
 * Expected values are computed here in double precision.
 */
@NullMarked
package org.chunkllama.contract;

import org.jspecify.annotations.NullMarked;
