package org.chunkllama.server.cache;

import java.util.HashMap;
import java.util.Map;
import org.chunkllama.Llm;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.server.http.Endpoint;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code GET /v1/tree}: the prefix tree now, as sizes and numbers of sharers. No text, no ids of
 * tokens, and of salts only which runs have the same one.
 */
public final class Tree implements Endpoint {
  private final Llm llm;

  public Tree(Llm llm) {
    this.llm = llm;
  }

  @Override
  public void handle(Exchange exchange) {
    TreeSnapshot tree = llm.tree(false);
    ObjectNode json = Json.object();
    json.put("object", "tree");
    json.put("chunk_tokens", tree.chunkTokens());
    ObjectNode chunks = json.putObject("chunks");
    chunks.put("total", tree.chunksTotal());
    chunks.put("free", tree.chunksFree());
    chunks.put("live", tree.chunksLive());
    chunks.put("retained", tree.chunksRetained());
    ArrayNode runs = json.putArray("runs");
    Map<String, Integer> groups = new HashMap<>();
    for (TreeSnapshot.Run run : tree.runs()) {
      ObjectNode node = runs.addObject();
      node.put("parent", run.parent());
      node.put("depth", run.depth());
      node.put("group", groups.computeIfAbsent(run.salt(), _ -> groups.size()));
      node.put("first_token", run.firstToken());
      node.put("tokens", run.tokens());
      node.put("chunks", run.chunks());
      node.put("sharers", run.sequences().length);
      node.put("pinned", run.pinned());
      node.put("in_flight", run.inFlight());
    }
    exchange.send(json);
  }
}
