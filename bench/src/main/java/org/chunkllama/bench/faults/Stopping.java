package org.chunkllama.bench.faults;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** SIGTERM while fifty streams run. */
final class Stopping {
  private static final int STREAMS = 50;

  private Stopping() {}

  static Fault fault() {
    return Fault.own(
        "SIGTERM during 50 streams", List.of("--drain-timeout", "120s"), Stopping::befall);
  }

  private static String befall(ServerProcess server) throws Exception {
    Map<String, Object> body = Calls.completion(Calls.prompt(11, 50), 120);
    body.put("stream", true);
    int ended = 0;
    try (Calls calls = new Calls(server)) {
      List<CompletableFuture<HttpResponse<String>>> streams = new ArrayList<>();
      for (int i = 0; i < STREAMS; i++) {
        streams.add(calls.send(Calls.COMPLETIONS, Calls.text(body)));
      }
      while (!calls.get("/metrics").contains("chunkllama_http_requests_open " + STREAMS + ".0")) {
        FaultException.unless(
            streams.stream().noneMatch(CompletableFuture::isDone), "streams ended too soon");
        Thread.sleep(2);
      }
      server.terminate();
      for (CompletableFuture<HttpResponse<String>> stream : streams) {
        ended += stream.join().body().endsWith("data: [DONE]\n\n") ? 1 : 0;
      }
    }
    OptionalInt status = server.await(Duration.ofSeconds(30));
    FaultException.unless(ended == STREAMS, "only %d streams came to their end".formatted(ended));
    FaultException.unless(
        status.orElse(-1) == 0, "status of the process: " + status + "\n" + server.said());
    return "%d streams came to their end, status 0".formatted(ended);
  }
}
