package org.chunkllama.cuda.driver;

import java.lang.foreign.SymbolLookup;

/**
 * A library mapped into this process until it ends.
 *
 * @param path what was mapped, for messages
 * @param symbols its functions
 */
record MappedLibrary(String path, SymbolLookup symbols) {}
