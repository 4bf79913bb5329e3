package org.chunkllama.bench.faults;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Clients that go away, by a proper close and by a reset. */
final class Vanishing {
  private static final int TOKENS = 250;

  private Vanishing() {}

  static List<Fault> faults() {
    return List.of(
        Fault.shared("clients vanish before their request is whole", Vanishing::early),
        Fault.shared("clients vanish while they wait", Vanishing::waiting),
        Fault.shared("clients vanish in mid stream", Vanishing::streaming),
        Fault.shared("clients vanish among others", Vanishing::amongOthers));
  }

  private static String body(long seed, boolean stream) {
    Map<String, Object> body = Calls.completion(Calls.prompt(seed, 100), TOKENS);
    body.put("stream", stream);
    return Calls.text(body);
  }

  private static void leave(RawClient client, int turn) throws IOException {
    if (turn % 2 == 0) {
      client.close();
    } else {
      client.reset();
    }
  }

  private static String early(ServerProcess server) throws IOException {
    String request = RawClient.head(Calls.COMPLETIONS, 500) + "{\"prompt\":\"" + "a".repeat(400);
    int count = 0;
    for (int length = 0; length < request.length(); length += 13) {
      leave(new RawClient(server).write(request.substring(0, length)), count++);
    }
    return count + " clients";
  }

  private static String waiting(ServerProcess server) throws Exception {
    double before = generated(server);
    int count = 40;
    List<RawClient> clients = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      clients.add(new RawClient(server).post(Calls.COMPLETIONS, body(i, false)));
    }
    Thread.sleep(100); // some wait in the queue, some run
    for (int i = 0; i < count; i++) {
      leave(clients.get(i), i);
    }
    return spared(server, before, count);
  }

  private static String streaming(ServerProcess server) throws Exception {
    double before = generated(server);
    int count = 40;
    List<RawClient> clients = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      clients.add(new RawClient(server).post(Calls.COMPLETIONS, body(100 + i, true)));
    }
    for (int i = 0; i < count; i++) {
      clients.get(i).readUntil("data: ");
      leave(clients.get(i), i);
    }
    return spared(server, before, count);
  }

  /** Checks that what nobody waits for was not computed to its end. */
  private static String spared(ServerProcess server, double before, int count) throws Exception {
    Accounts.idle(server);
    long made = Math.round(generated(server) - before);
    FaultException.unless(
        made < (long) count * TOKENS, "all %d tokens were generated for nobody".formatted(made));
    return "%d clients; %d of %d tokens were generated".formatted(count, made, count * TOKENS);
  }

  private static double generated(ServerProcess server) throws Exception {
    try (Calls calls = new Calls(server)) {
      return calls
          .get("/metrics")
          .lines()
          .filter(line -> line.startsWith("vllm:generation_tokens_total"))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
          .findFirst()
          .orElseThrow(() -> new FaultException("no count of generated tokens"));
    }
  }

  private static String amongOthers(ServerProcess server) throws Exception {
    int count = 16;
    try (Calls calls = new Calls(server)) {
      String expected = Calls.answer(calls.post(Calls.COMPLETIONS, body(7, false)));
      List<CompletableFuture<java.net.http.HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        answers.add(calls.send(Calls.COMPLETIONS, body(7, false)));
        RawClient vanishing = new RawClient(server).post(Calls.COMPLETIONS, body(7, i % 3 > 0));
        if (i % 3 > 0) {
          vanishing.readUntil("data: ");
        }
        leave(vanishing, i);
      }
      for (var answer : answers) {
        FaultException.unless(
            Calls.answer(answer.join()).equals(expected), "who stayed got another answer");
      }
    }
    return "%d left, %d stayed: same tokens as alone".formatted(count, count);
  }
}
