package org.chunkllama.server;

import java.nio.file.Path;

/**
 * A certificate and its key.
 *
 * @param certificate PEM, the server's own first, then what vouches for it
 * @param key PEM, PKCS #8, not encrypted
 */
public record TlsFiles(Path certificate, Path key) {}
