package org.chunkllama.bench.faults;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How a server came through a fault.
 *
 * @param detail what was seen, or what went wrong
 * @param before what it held
 * @param after what it held once it was idle again; empty if it was to end, or did
 */
public record FaultResult(
    String name,
    boolean passed,
    String detail,
    Optional<Accounts> before,
    Optional<Accounts> after,
    double seconds) {
  /** One line for people. */
  public String line() {
    String accounts =
        after
            .map(a ->
                "%s; threads %s, handles %s"
                    .formatted(
                        a.chunks(),
                        change(before.map(Accounts::threads), a.threads()),
                        change(before.map(Accounts::handles), a.handles())))
            .orElse("no accounts");
    return "%s %-52s %s | %s | %.1f s"
        .formatted(passed ? "ok  " : "FAIL", name, detail, accounts, seconds);
  }

  private static String change(
      Optional<java.util.OptionalInt> before, java.util.OptionalInt after) {
    return "%s to %s".formatted(text(before.orElse(java.util.OptionalInt.empty())), text(after));
  }

  private static String text(java.util.OptionalInt value) {
    return value.isPresent() ? String.valueOf(value.getAsInt()) : "?";
  }

  /** The same for programs. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("fault", name);
    json.put("passed", passed);
    json.put("detail", detail);
    json.put("seconds", seconds);
    before.ifPresent(accounts -> json.put("before", json(accounts)));
    after.ifPresent(accounts -> json.put("after", json(accounts)));
    return json;
  }

  private static Map<String, Object> json(Accounts accounts) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("free", accounts.free());
    json.put("retained", accounts.retained());
    json.put("live", accounts.live());
    json.put("total", accounts.total());
    accounts.threads().ifPresent(threads -> json.put("threads", threads));
    accounts.handles().ifPresent(handles -> json.put("handles", handles));
    return json;
  }
}
