package org.chunkllama.bench.faults;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** A backend that throws now and then, under load. */
final class FaultyBackend {
  private static final int REQUESTS = 10;
  private static final int ROUNDS = 6;
  private static final int ROUNDS_MOST = 60;

  private FaultyBackend() {}

  static Fault fault() {
    return new Fault(
        "exceptions out of the backend",
        List.of("--backend", FaultyBackendProvider.NAME),
        FaultyBackend::befall);
  }

  private static String befall(ServerProcess server) throws Exception {
    Map<String, Integer> seen = new TreeMap<>();
    try (Calls calls = new Calls(server)) {
      for (int round = 0; round < ROUNDS_MOST; round++) {
        if (round >= ROUNDS && seen.size() > 1) {
          break;
        }
        List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
          Map<String, Object> body = Calls.completion(Calls.prompt(i, 30), 10);
          sent.add(calls.send(Calls.COMPLETIONS, Calls.text(body)));
        }
        for (CompletableFuture<HttpResponse<String>> one : sent) {
          HttpResponse<String> answer = one.join();
          seen.merge(String.valueOf(answer.statusCode()), 1, Integer::sum);
          FaultException.unless(
              answer.statusCode() == 200 || Calls.parse(answer.body()).has("error"),
              "an answer that is neither: " + answer.body());
        }
      }
    }
    FaultException.unless(seen.containsKey("500"), "no fault was injected: " + seen);
    FaultException.unless(seen.containsKey("200"), "nobody was answered: " + seen);
    return "answers by status: %s".formatted(seen);
  }
}
