package org.chunkllama.server;

import java.nio.charset.StandardCharsets;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.Endpoint;
import org.chunkllama.server.http.Exchange;

/** {@code GET /}: what runs here, and a line to try it. */
final class Page implements Endpoint {
  private final Model model;
  private final String version;

  Page(Model model, String version) {
    this.model = model;
    this.version = version;
  }

  @Override
  public void handle(Exchange exchange) {
    String base = (exchange.isSecure() ? "https://" : "http://") + exchange.authority();
    String page =
        """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>ChunkLlama</title>
        <style>body{font:16px/1.5 system-ui,sans-serif;max-width:46em;margin:2em auto;padding:0 1em}
        pre{background:light-dark(#f4f4f4,#222);padding:1em;overflow-x:auto}</style>
        <h1>ChunkLlama %s</h1>
        <p>Serves <b>%s</b>: %s.</p>
        <pre>curl -N %s/v1/chat/completions -H 'Content-Type: application/json' \\
          -d '{"model": "%s", "stream": true, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}'</pre>
        <p>%s</p>
        """
            .formatted(
                escape(version),
                escape(model.name()),
                escape(model.llm().description()),
                escape(base),
                escape(model.name()),
                links());
    exchange.send(200, "text/html; charset=utf-8", page.getBytes(StandardCharsets.UTF_8));
  }

  private static String links() {
    StringBuilder links = new StringBuilder();
    for (String path : new String[] {"/v1/models", "/health", "/ready", "/version", "/metrics"}) {
      links.append("<a href=\"").append(path).append("\">").append(path).append("</a> ");
    }
    return links.toString();
  }

  /** The host comes from the client, the names from files: neither may write HTML. */
  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
