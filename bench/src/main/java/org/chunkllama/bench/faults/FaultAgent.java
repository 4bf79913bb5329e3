package org.chunkllama.bench.faults;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;

/**
 * Throws exceptions out of a part of the program that runs, which is not built for that: a Java
 * agent that changes a method as its class is loaded.
 */
public final class FaultAgent {
  private static final AtomicInteger CALLS = new AtomicInteger();
  private static volatile @Nullable FaultPoint point;

  private FaultAgent() {}

  /**
   * Called by the Java virtual machine.
   *
   * @param argument the name of a {@link FaultPoint}
   */
  public static void premain(String argument, Instrumentation instrumentation) {
    FaultPoint chosen = FaultPoint.valueOf(argument);
    point = chosen;
    instrumentation.addTransformer(new Transformer(chosen, instrumentation));
  }

  /** The changed method calls this first. */
  public static void reached() {
    FaultPoint chosen = point;
    if (chosen != null && CALLS.incrementAndGet() % chosen.calls() == 0) {
      throw new IllegalStateException("injected into the " + chosen.part());
    }
  }

  /** The option by which a Java virtual machine runs this agent. */
  static String option(FaultPoint point) throws IOException {
    Path jar = Files.createTempFile("chunkllama-faults", ".jar");
    jar.toFile().deleteOnExit();
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().putValue("Premain-Class", FaultAgent.class.getName());
    // The class itself is where the program is.
    try (OutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
      out.flush();
    }
    return "-javaagent:%s=%s".formatted(jar, point.name());
  }

  /** Makes one method call {@link #reached} first. */
  private record Transformer(FaultPoint point, Instrumentation instrumentation)
      implements ClassFileTransformer {
    @Override
    public byte @Nullable [] transform(
        Module module,
        @Nullable ClassLoader loader,
        String className,
        @Nullable Class<?> redefined,
        @Nullable ProtectionDomain domain,
        byte[] bytes) {
      if (!point.className().equals(className)) {
        return null; // as it is
      }
      Module own = FaultAgent.class.getModule();
      if (module.isNamed() && !module.canRead(own)) {
        instrumentation.redefineModule(module, Set.of(own), Map.of(), Map.of(), Set.of(), Map.of());
      }
      ClassFile classFile = ClassFile.of();
      return classFile.transformClass(
          classFile.parse(bytes),
          ClassTransform.transformingMethodBodies(
              method -> method.methodName().equalsString(point.method()), new CallFirst()));
    }
  }

  private static final class CallFirst implements CodeTransform {
    @Override
    public void atStart(CodeBuilder builder) {
      builder.invokestatic(
          ClassDesc.of(FaultAgent.class.getName()),
          "reached",
          MethodTypeDesc.of(ConstantDescs.CD_void));
    }

    @Override
    public void accept(CodeBuilder builder, CodeElement element) {
      builder.with(element);
    }
  }
}
