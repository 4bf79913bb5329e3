package org.chunkllama.server;

import io.helidon.common.tls.TlsConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
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
    PrivateKey key = key(files.key());
    List<X509Certificate> chain = chain(files.certificate());
    if (!belong(key, chain.getFirst().getPublicKey())) {
      throw new InvalidRequestException(
          "the key in %s does not belong to the certificate in %s; give the pair"
              .formatted(files.key(), files.certificate()));
    }
    return TlsConfig.builder()
        .privateKey(key)
        .privateKeyCertChain(chain)
        .applicationProtocols(List.of("http/1.1"))
        .buildPrototype();
  }

  /** What the one signs the other must verify. */
  private static boolean belong(PrivateKey key, PublicKey certified) {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> "Ed25519";
        };
    byte[] data = {1, 2, 3};
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(data);
      byte[] signed = signature.sign();
      signature.initVerify(certified);
      signature.update(data);
      return signature.verify(signed);
    } catch (GeneralSecurityException _) {
      return false; // another algorithm's key
    }
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
