package org.chunkllama.clients;

import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** Collects what LangChain4j streams. */
final class Streamed implements StreamingChatResponseHandler {
  private final List<String> pieces = new CopyOnWriteArrayList<>();
  private final CompletableFuture<ChatResponse> whole = new CompletableFuture<>();

  @Override
  public void onPartialResponse(String piece) {
    pieces.add(piece);
  }

  @Override
  public void onCompleteResponse(ChatResponse response) {
    whole.complete(response);
  }

  @Override
  public void onError(Throwable error) {
    whole.completeExceptionally(error);
  }

  List<String> pieces() {
    return pieces;
  }

  ChatResponse await() {
    return whole.orTimeout(30, TimeUnit.SECONDS).join();
  }
}
