package org.chunkllama.bench.faults;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** Two hundred requests where there is room for one at a time. */
final class SmallPool {
  private static final int REQUESTS = 200;

  private SmallPool() {}

  /**
   * @param bytes of the smallest pool that a server takes
   */
  static Fault fault(long bytes) {
    return Fault.own(
        "smallest pool, 200 requests",
        List.of("--kv-memory", String.valueOf(bytes)),
        SmallPool::befall);
  }

  /** Prompts of four kinds; some equal, some with a common beginning, some too long to fit. */
  private static String body(int i) {
    int length = i % 10 == 9 ? 200 : 4 + i % 20;
    return Calls.text(Calls.completion(Calls.prompt(i % 4, length), 5 + i % 7));
  }

  private static String befall(ServerProcess server) throws Exception {
    List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
    Map<String, Integer> seen = new TreeMap<>();
    Set<String> ids = new HashSet<>();
    try (Calls calls = new Calls(server)) {
      for (int i = 0; i < REQUESTS; i++) {
        sent.add(calls.send(Calls.COMPLETIONS, body(i)));
      }
      List<HttpResponse<String>> answers = sent.stream().map(CompletableFuture::join).toList();
      for (int i = 0; i < REQUESTS; i++) {
        HttpResponse<String> answer = answers.get(i);
        seen.merge(String.valueOf(answer.statusCode()), 1, Integer::sum);
        check(calls, i, answer, ids);
      }
    }
    FaultException.unless(seen.getOrDefault("200", 0) >= REQUESTS / 2, "answers: " + seen);
    return "%d requests: %s; none lost, none twice, all as alone".formatted(REQUESTS, seen);
  }

  private static void check(Calls calls, int i, HttpResponse<String> answer, Set<String> ids)
      throws Exception {
    if (answer.statusCode() == 200) {
      String id = Calls.parse(answer.body()).get("id").stringValue();
      FaultException.unless(ids.add(id), "answered twice: " + id);
      String alone = Calls.answer(calls.post(Calls.COMPLETIONS, body(i)));
      FaultException.unless(
          Calls.answer(answer).equals(alone), "request %d: other tokens than alone".formatted(i));
    } else {
      String message = Calls.parse(answer.body()).get("error").get("message").stringValue();
      FaultException.unless(!message.isBlank(), "an error without a message");
    }
  }
}
