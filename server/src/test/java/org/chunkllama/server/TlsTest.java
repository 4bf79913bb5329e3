package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.chunkllama.TenantLimits;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.server.tenant.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS with a certificate and a key from PEM files. */
class TlsTest {
  private static final char[] PASSWORD = "changeit".toCharArray();

  @TempDir private Path folder;

  private KeyStore keyStore(String algorithm) throws Exception {
    Path file = folder.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                algorithm,
                "-alias",
                "server",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .start();
    String said =
        new String(
            keytool.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD);
    }
    return store;
  }

  private Path pem(String name, String kind, byte[] der) throws Exception {
    String base64 = Base64.getMimeEncoder().encodeToString(der);
    return Files.writeString(
        folder.resolve(name),
        "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(kind, base64, kind));
  }

  private TlsFiles files(KeyStore store) throws Exception {
    return new TlsFiles(
        pem("cert.pem", "CERTIFICATE", store.getCertificate("server").getEncoded()),
        pem("key.pem", "PRIVATE KEY", store.getKey("server", PASSWORD).getEncoded()));
  }

  @Test
  void streamsOverTls() throws Exception {
    KeyStore store = keyStore("EC");
    TlsFiles files = files(store);
    SSLContext context = trusting(store);
    try (TestServer server = new TestServer(m -> m, o -> with(files, Limits.defaults()));
        HttpClient client = HttpClient.newBuilder().sslContext(context).build()) {
      for (int i = 0; i < 3; i++) { // on one connection
        HttpRequest request =
            HttpRequest.newBuilder(
                    URI.create(
                        "https://127.0.0.1:%d/v1/completions".formatted(server.server.port())))
                .POST(
                    BodyPublishers.ofString("{\"prompt\":\"a\",\"max_tokens\":3,\"stream\":true}"))
                .build();
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).endsWith("data: [DONE]\n\n");
      }
      server.awaitIdle();
    }
  }

  private static SSLContext trusting(KeyStore store) throws Exception {
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("server", store.getCertificate("server"));
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  /** One client that does not read holds up nobody's deadline, and its own is kept. */
  @Test
  void aClientThatDoesNotReadIsCutOff() throws Exception {
    KeyStore store = keyStore("EC");
    TlsFiles files = files(store);
    Duration soon = Duration.ofSeconds(1);
    Limits limits = new Limits(20, 16 << 20, 8 << 10, 0, soon, soon, Duration.ofMinutes(1));
    SSLContext context = trusting(store);
    try (TestServer server = new TestServer(m -> m, o -> with(files, limits));
        Socket stuck = connect(context, server)) {
      String body =
          "{\"return_token_strs\":true,\"prompt\":\"%s\"}".formatted("ab ".repeat(300_000));
      String request = RawClient.head("/tokenize", body.length()) + body;
      stuck.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      while (server.server.openRequests() == 0) {
        Thread.sleep(1);
      }
      Thread.sleep(2500); // by now its write is stuck, and was for longer than it may be
      try (Socket half = connect(context, server)) {
        half.getOutputStream().write("POST /tokenize HT".getBytes(StandardCharsets.US_ASCII));
        byte[] status = half.getInputStream().readNBytes(12);
        assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 408");
      }
      server.awaitIdle();
    }
  }

  private static Socket connect(SSLContext context, TestServer server) throws IOException {
    Socket plain = new Socket();
    plain.setReceiveBufferSize(4096);
    plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.server.port()));
    plain.setSoTimeout(8000);
    return context.getSocketFactory().createSocket(plain, "127.0.0.1", server.server.port(), true);
  }

  private static ServerOptions with(TlsFiles files, Limits limits) {
    return new ServerOptions(
        "127.0.0.1",
        0,
        "random",
        "test",
        ApiKeys.none(),
        Optional.of(files),
        limits,
        TenantLimits.none(),
        Optional.empty(),
        false);
  }

  private static byte[] otherKey(String algorithm) throws Exception {
    return KeyPairGenerator.getInstance(algorithm).generateKeyPair().getPrivate().getEncoded();
  }

  @Test
  void wrongFilesAreNamed() throws Exception {
    KeyStore store = keyStore("RSA");
    Path certificate = pem("cert.pem", "CERTIFICATE", store.getCertificate("server").getEncoded());
    Path other = pem("other.pem", "PRIVATE KEY", otherKey("RSA"));
    Path ec = pem("ec.pem", "PRIVATE KEY", otherKey("EC"));
    for (Path key : java.util.List.of(other, ec)) {
      assertThatThrownBy(() -> TlsSetup.of(new TlsFiles(certificate, key)))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("does not belong to the certificate");
    }
    Path rubbish = Files.writeString(folder.resolve("rubbish.pem"), "no key");
    assertThatThrownBy(() -> TlsSetup.of(new TlsFiles(certificate, rubbish)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("rubbish.pem");
    assertThatThrownBy(() -> TlsSetup.of(new TlsFiles(rubbish, rubbish)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("rubbish.pem");
  }
}
