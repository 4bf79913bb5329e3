package org.chunkllama.bench.faults;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;

/** Parts of the server that throw now and then, under a load of streams and whole answers. */
final class Injected {
  private static final int REQUESTS = 12;
  private static final int TOKENS = 10;
  private static final int ROUNDS = 6;
  private static final int ROUNDS_MOST = 60;

  /** Attempts to get an answer without a fault. */
  private static final int ATTEMPTS = 20;

  private static final String LOST = "lost";
  private static final String CHATS = "/v1/chat/completions";
  private static final String DATA = "data: ";

  private Injected() {}

  static List<Fault> faults() throws IOException {
    List<Fault> faults = new ArrayList<>();
    for (FaultPoint point : FaultPoint.values()) {
      faults.add(
          new Fault(
              "exceptions out of the " + point.part(),
              List.of(),
              List.of(FaultAgent.option(point)),
              server -> befall(server, point)));
    }
    return faults;
  }

  private static String befall(ServerProcess server, FaultPoint point) throws Exception {
    int lost = 0;
    int unharmed = 0;
    try (Calls calls = new Calls(server)) {
      List<String> alone = new ArrayList<>();
      for (int i = 0; i < REQUESTS; i++) {
        alone.add(alone(calls, i));
      }
      for (int round = 0; round < ROUNDS_MOST; round++) {
        if (round >= ROUNDS && lost > 0 && unharmed > 0) {
          break;
        }
        List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
          sent.add(calls.send(path(i), body(i)));
        }
        for (int i = 0; i < REQUESTS; i++) {
          String outcome = outcome(sent.get(i).join());
          if (outcome.equals(LOST)) {
            lost++;
            FaultException.unless(
                point != FaultPoint.TEMPLATE || isChat(i), "a template's fault hit another");
          } else {
            unharmed++;
            FaultException.unless(
                outcome.equals(alone.get(i)),
                "request %d: '%s', alone '%s'".formatted(i, outcome, alone.get(i)));
          }
        }
      }
    }
    FaultException.unless(lost > 0, "no fault was injected");
    FaultException.unless(unharmed > 0, "nobody was answered");
    return "%d requests failed with an error, %d beside them answered as alone"
        .formatted(lost, unharmed);
  }

  private static String alone(Calls calls, int i) throws Exception {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      String outcome = outcome(calls.post(path(i), body(i)));
      if (!outcome.equals(LOST)) {
        return outcome;
      }
    }
    throw new FaultException("request %d failed %d times".formatted(i, ATTEMPTS));
  }

  private static boolean isChat(int i) {
    return i % 3 == 0;
  }

  private static String path(int i) {
    return isChat(i) ? CHATS : Calls.COMPLETIONS;
  }

  /** Text, drawn by a seed, so that template, tokenizer and sampler all have a part in it. */
  private static String body(int i) {
    Map<String, Object> body = new LinkedHashMap<>();
    String text = "Once upon a time there were %d little rivers".formatted(i);
    if (isChat(i)) {
      body.put("messages", List.of(Map.of("role", "user", "content", text)));
    } else {
      body.put("prompt", text);
    }
    body.put("max_tokens", TOKENS);
    body.put("ignore_eos", true);
    body.put("temperature", 0.8);
    body.put("seed", i);
    body.put("stream", i % 2 == 0);
    return Calls.text(body);
  }

  /** The text of an answer, {@link #LOST}, or the refusal of what this model cannot do. */
  private static String outcome(HttpResponse<String> response) throws FaultException {
    String body = response.body();
    if (response.statusCode() != 200) {
      JsonNode error = Calls.parse(body).get("error");
      FaultException.unless(error != null, "an error without its object: " + body);
      return response.statusCode() == 500 ? LOST : response.statusCode() + ": " + error;
    }
    if (!body.startsWith(DATA)) {
      return text(Calls.parse(body));
    }
    StringBuilder text = new StringBuilder();
    List<String> events = body.lines().filter(line -> line.startsWith(DATA)).toList();
    for (String event : events) {
      String data = event.substring(DATA.length());
      if (data.equals("[DONE]")) {
        return text.toString();
      }
      JsonNode json = Calls.parse(data);
      if (json.has("error")) {
        return LOST;
      }
      text.append(text(json));
    }
    throw new FaultException("a stream without an end: " + body);
  }

  private static String text(JsonNode json) {
    JsonNode choice = json.get("choices").get(0);
    for (String holder : List.of("message", "delta")) {
      if (choice.has(holder)) {
        return choice.get(holder).path("content").asString("");
      }
    }
    return choice.get("text").stringValue();
  }
}
