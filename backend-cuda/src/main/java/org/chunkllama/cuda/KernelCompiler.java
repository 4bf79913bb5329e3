package org.chunkllama.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.chunkllama.cuda.driver.Nvrtc;

/**
 * Compiles kernels of the {@code kernels} resources, or takes them from the user's cache. Needs no
 * GPU.
 */
final class KernelCompiler {
  private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"");

  /** Kernels index with plain ints and are compiled as device code unless said otherwise. */
  private static final List<String> OPTIONS = List.of("-std=c++17", "-default-device");

  private final Nvrtc nvrtc;
  private final KernelCache cache;

  KernelCompiler(Nvrtc nvrtc, KernelCache cache) {
    this.nvrtc = nvrtc;
    this.cache = cache;
  }

  /**
   * A kernel file as a cubin.
   *
   * @param file such as {@code norm.cu}
   * @param architecture such as {@code sm_90}
   * @param constants such as {@code HEAD_DIM=64}
   * @throws org.chunkllama.cuda.driver.CudaException with the compiler's log if it does not compile
   */
  byte[] cubin(String file, String architecture, List<String> constants) {
    String source = read(file);
    Map<String, String> headers = new TreeMap<>();
    collect(source, headers);
    List<String> options = new ArrayList<>(OPTIONS);
    options.add("--gpu-architecture=" + architecture);
    constants.forEach(constant -> options.add("-D" + constant));
    String key = KernelCache.key(nvrtc.build(), source, headers, options);
    return cache.get(
        file.replace('.', '_') + "-" + key, () -> nvrtc.compile(file, source, headers, options));
  }

  /** Changes whenever a kernel's source or a file that it includes does: 12 hexadecimal digits. */
  static String fingerprint(String file) {
    String source = read(file);
    Map<String, String> headers = new TreeMap<>();
    collect(source, headers);
    return KernelCache.key("", source, headers, List.of()).substring(0, 12);
  }

  private static void collect(String source, Map<String, String> headers) {
    Matcher matcher = INCLUDE.matcher(source);
    while (matcher.find()) {
      String name = matcher.group(1);
      if (!headers.containsKey(name)) {
        String text = read(name);
        headers.put(name, text);
        collect(text, headers);
      }
    }
  }

  private static String read(String file) {
    try (InputStream in = KernelCompiler.class.getResourceAsStream("kernels/" + file)) {
      if (in == null) {
        throw new IllegalStateException("no kernel source " + file + " in this build");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("kernel source " + file + " cannot be read", e);
    }
  }
}
