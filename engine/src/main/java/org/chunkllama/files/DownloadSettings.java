package org.chunkllama.files;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.error.DownloadException;

/**
 * Where models come from and where they are kept.
 *
 * @param cache folder for downloaded models; made if absent
 * @param hub base address of the Hugging Face hub
 * @param token for gated models
 * @param connectTimeout to reach a host and get an answer's head
 * @param stallTimeout without a byte, after which a transfer is resumed
 * @param retryPause before the first new try; doubled for each further one
 * @param pipCommands ways to call pip, tried in order
 * @param proxy for the hub, {@code host:port}
 */
record DownloadSettings(
    Path cache,
    URI hub,
    Optional<String> token,
    Duration connectTimeout,
    Duration stallTimeout,
    Duration retryPause,
    List<List<String>> pipCommands,
    Optional<URI> proxy) {
  private static final String HUB = "https://huggingface.co";

  private static final List<List<String>> PIP =
      List.of(
          List.of("python3", "-m", "pip"),
          List.of("python", "-m", "pip"),
          List.of("pip3"),
          List.of("pip"));

  /** As the environment says: CHUNKLLAMA_HOME, XDG_CACHE_HOME, HF_ENDPOINT, HF_TOKEN, a proxy. */
  static DownloadSettings of(Map<String, String> environment, Path home) {
    return new DownloadSettings(
        cache(environment, home),
        address("HF_ENDPOINT", stated(environment, "HF_ENDPOINT").orElse(HUB)),
        stated(environment, "HF_TOKEN"),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        Duration.ofMillis(500),
        PIP,
        stated(environment, "HTTPS_PROXY")
            .or(() -> stated(environment, "https_proxy"))
            .map(proxy -> proxy.contains("://") ? proxy : "http://" + proxy)
            .map(proxy -> address("HTTPS_PROXY", proxy)));
  }

  private static URI address(String variable, String value) {
    try {
      URI address = new URI(value);
      if (List.of("http", "https").contains(address.getScheme()) && address.getHost() != null) {
        return address;
      }
    } catch (URISyntaxException _) {
      // Said below.
    }
    throw new DownloadException(
        variable + " is " + Untrusted.quote(value) + ", no web address; correct or unset it");
  }

  private static Path cache(Map<String, String> environment, Path home) {
    return stated(environment, "CHUNKLLAMA_HOME")
        .map(Path::of)
        .or(() -> stated(environment, "XDG_CACHE_HOME").map(xdg -> Path.of(xdg, "chunkllama")))
        .orElseGet(() -> home.resolve(".cache").resolve("chunkllama"));
  }

  private static Optional<String> stated(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
  }
}
