package org.chunkllama.server.http;

import java.util.Optional;

/**
 * An answered request, for figures and traces.
 *
 * @param probe a probe's, not a client's
 * @param method of HTTP
 * @param route the path of its endpoint
 * @param status 499 if the client was gone
 * @param nanos from the request's head to the end of its answer
 * @param tenant who asked
 * @param id of the request
 * @param traceParent the client's trace, as W3C writes it
 */
public record Answered(
    boolean probe,
    String method,
    String route,
    int status,
    long nanos,
    String tenant,
    String id,
    Optional<String> traceParent) {}
