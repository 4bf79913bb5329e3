package org.chunkllama.server.generate;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.chunkllama.Generation;
import org.chunkllama.GenerationRequest;
import org.chunkllama.Llm;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.metrics.GenerationFigures;

/** Starts generations, and cancels them when their client is gone or the server must stop. */
public final class Generations {
  private final Llm llm;
  private final GenerationFigures figures;
  private final PromptLimit prompts;
  private final Set<Batch> running = ConcurrentHashMap.newKeySet();

  public Generations(Llm llm, GenerationFigures figures, PromptLimit prompts) {
    this.llm = llm;
    this.figures = figures;
    this.prompts = prompts;
  }

  /**
   * Starts the requests of one HTTP request; all of them or none.
   *
   * @param exchange its body has been read
   * @throws org.chunkllama.error.ChunkLlamaException if there is no room, or one is wrong
   */
  public Batch start(Exchange exchange, List<GenerationRequest> requests) {
    requests.forEach(request -> prompts.check(request.prompt()));
    List<Running> all = new ArrayList<>(requests.size());
    for (Generation generation : llm.trySubmitAll(requests)) {
      all.add(new Running(generation, figures));
    }
    Batch batch = new Batch(this, all);
    running.add(batch);
    exchange.whenGone(batch::cancel);
    return batch;
  }

  void forget(Batch batch) {
    running.remove(batch);
  }

  /** Cancels everything. */
  public void cancelAll() {
    running.forEach(Batch::cancel);
  }
}
