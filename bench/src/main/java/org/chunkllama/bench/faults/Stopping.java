package org.chunkllama.bench.faults;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** SIGTERM while fifty streams run. */
final class Stopping {
  private static final int STREAMS = 50;
  private static final Pattern CHUNKS =
      Pattern.compile("chunks: ((\\d+) free \\+ (\\d+) retained \\+ (\\d+) live = (\\d+))");

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
    return "%d streams came to their end, status 0; at its end %s".formatted(ended, chunks(server));
  }

  /** What the server says of its pool as its last words. */
  private static String chunks(ServerProcess server) throws Exception {
    for (int i = 0; i < 100; i++) {
      Matcher matcher = CHUNKS.matcher(server.said());
      if (matcher.find()) {
        int sum = 0;
        for (int part = 2; part <= 4; part++) {
          sum += Integer.parseInt(matcher.group(part));
        }
        FaultException.unless(
            sum == Integer.parseInt(matcher.group(5)) && matcher.group(4).equals("0"),
            "chunks do not add up: " + matcher.group(1));
        return matcher.group(1);
      }
      Thread.sleep(50); // what it said is being read
    }
    throw new FaultException("it ended without a word about its pool:\n" + server.said());
  }
}
