package org.chunkllama.server;

import io.helidon.common.tls.TlsConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;

/** TLS from PEM files. */
final class TlsSetup {
  private TlsSetup() {}

  static TlsConfig of(TlsFiles files) {
    return TlsConfig.builder()
        .privateKey(key(files.key()))
        .privateKeyCertChain(chain(files.certificate()))
        .applicationProtocols(List.of("http/1.1"))
        .buildPrototype();
  }

  private static List<X509Certificate> chain(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      List<X509Certificate> chain =
          CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (chain.isEmpty()) {
        throw new InvalidRequestException(file + " holds no certificate; give a PEM file");
      }
      return chain;
    } catch (IOException | GeneralSecurityException e) {
      throw new InvalidRequestException(
          "%s is no certificate in PEM (%s)".formatted(file, e.getMessage()));
    }
  }

  private static PrivateKey key(Path file) {
    byte[] der;
    try {
      String pem = Files.readString(file);
      String body = pem.replaceAll("-----(BEGIN|END) PRIVATE KEY-----", "").replaceAll("\\s", "");
      der = Base64.getDecoder().decode(body);
    } catch (IOException | IllegalArgumentException e) {
      throw new InvalidRequestException(
          file
              + " is no private key in PEM, PKCS #8, not encrypted; openssl pkcs8 -topk8 -nocrypt"
              + " makes one");
    }
    for (String algorithm : List.of("RSA", "EC", "Ed25519")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      } catch (InvalidKeySpecException _) {
        // the next one
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("every JDK has " + algorithm, e);
      }
    }
    throw new InvalidRequestException(file + " is neither an RSA, an EC nor an Ed25519 key");
  }
}
