package org.chunkllama.bench.server;

import java.io.IOException;
import org.chunkllama.bench.faults.Calls;
import org.chunkllama.bench.faults.ServerProcess;

/** A server's figures as it exposes them. */
record Metrics(String text) {
  static Metrics of(ServerProcess server) throws IOException, InterruptedException {
    try (Calls calls = new Calls(server)) {
      return new Metrics(calls.get("/metrics"));
    }
  }

  /** The sum over all labels of a figure. */
  double value(String name) throws IOException {
    double sum = 0;
    boolean found = false;
    for (String line : text.lines().toList()) {
      if (line.startsWith(name + "{") || line.startsWith(name + " ")) {
        sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
        found = true;
      }
    }
    if (!found) {
      throw new IOException("the server does not tell " + name);
    }
    return sum;
  }
}
