package org.chunkllama.server.http;

import tools.jackson.databind.node.ObjectNode;

/** How an API writes an error. */
public enum ErrorFormat {
  OPENAI {
    @Override
    public ObjectNode body(ApiException error) {
      ObjectNode body = Json.object();
      ObjectNode inner = body.putObject("error");
      inner.put("message", error.message());
      inner.put("type", error.kind().openAiType());
      inner.put("param", error.param().orElse(null));
      inner.put("code", error.code().orElse(null));
      return body;
    }

    @Override
    void send(EventStream events, ApiException error) {
      events.data(generator -> generator.writeTree(body(error)));
    }
  },
  ANTHROPIC {
    @Override
    public ObjectNode body(ApiException error) {
      ObjectNode body = Json.object();
      body.put("type", "error");
      ObjectNode inner = body.putObject("error");
      inner.put("type", error.kind().anthropicType());
      inner.put("message", error.message());
      return body;
    }

    @Override
    void send(EventStream events, ApiException error) {
      events.event("error", generator -> generator.writeTree(body(error)));
    }
  };

  public abstract ObjectNode body(ApiException error);

  /** The last event of a stream that failed. */
  abstract void send(EventStream events, ApiException error);
}
