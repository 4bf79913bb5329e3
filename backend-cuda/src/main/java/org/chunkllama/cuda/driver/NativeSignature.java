package org.chunkllama.cuda.driver;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The C function behind a component of a table of method handles. Pointers and handles are {@code
 * long}: passing them allocates nothing.
 */
@Target(ElementType.RECORD_COMPONENT)
@Retention(RetentionPolicy.RUNTIME)
@interface NativeSignature {
  /** Exported symbol. */
  String name();

  /** Result: int for a status, long for size_t or a pointer. */
  Class<?> returns() default int.class;

  /** Arguments in order: int, long, float or byte. */
  Class<?>[] arguments() default {};
}
