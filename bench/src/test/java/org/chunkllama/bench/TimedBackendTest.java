package org.chunkllama.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.plan.PlanCosts;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.StepInputs;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TimedBackendTest {
  private static final KvLayout LAYOUT = new KvLayout(1, 1, 64, 16, DType.F32);

  /** A backend that notes what it is asked and has a fixed answer to each question. */
  private static final class Behind implements InvocationHandler {
    final List<Method> asked = new ArrayList<>();
    Object[] arguments = {};
    final KvCache cache = stub(KvCache.class);
    final Tensor tensor = stub(Tensor.class);
    final Matrix matrix = stub(Matrix.class);
    final RowSampler sampler =
        stub(
            RowSampler.class,
            (_, method, given) -> {
              asked.add(method);
              arguments = given;
              return null;
            });
    final Backend backend = stub(Backend.class, this);

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] given) {
      asked.add(method);
      arguments = given == null ? new Object[0] : given;
      return answer(method);
    }

    /** Never that of a default method. */
    @Nullable Object answer(Method method) {
      return switch (method.getName()) {
        case "name", "description" -> "behind";
        case "parallelism" -> 7;
        case "planCosts" -> new PlanCosts(16, 1000, 1, 0, 0, 64);
        case "keptBytes" -> OptionalLong.of(11);
        case "freeBytes" -> OptionalLong.of(13);
        case "kvBytesPerChunk" -> 17L;
        case "kvTypes" -> Set.of(DType.I8);
        case "lost" -> Optional.of("gone");
        case "rowSampler" -> Optional.of(sampler);
        case "queuesSteps" -> true;
        case "tensor" -> tensor;
        case "matrix", "randomMatrix" -> matrix;
        case "kvCache" -> cache;
        default -> {
          assertThat(method.getReturnType()).as("answer to %s", method).isEqualTo(void.class);
          yield null;
        }
      };
    }
  }

  private static <T> T stub(Class<T> type) {
    return stub(
        type,
        (_, method, _) -> {
          throw new AssertionError(method);
        });
  }

  @SuppressWarnings("ReferenceEquality") // a stub is itself alone
  private static <T> T stub(Class<T> type, InvocationHandler handler) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "equals" -> proxy == arguments[0];
                  case "hashCode" -> System.identityHashCode(proxy);
                  case "toString" -> "a " + type.getSimpleName();
                  default -> handler.invoke(proxy, method, arguments);
                }));
  }

  /** All that a backend may be asked. */
  static List<Method> methods() {
    return Stream.of(Backend.class.getMethods())
        .filter(method -> !Modifier.isStatic(method.getModifiers()))
        .sorted(Comparator.comparing(Method::toString))
        .toList();
  }

  /** Also one that has a default, which would hide that it was forgotten. */
  @ParameterizedTest
  @MethodSource("methods")
  void everythingIsPassedOn(Method method) throws ReflectiveOperationException {
    Behind behind = new Behind();
    Backend timed = new TimedBackend(behind.backend, new OpTimes());
    KvCache cache = timed.kvCache(LAYOUT, 1);
    behind.asked.clear();
    Object[] arguments =
        Stream.of(method.getParameterTypes()).map(type -> argument(method, type, cache)).toArray();
    Object result = method.invoke(timed, arguments);
    assertThat(behind.asked).containsExactly(method);
    for (int i = 0; i < arguments.length; i++) {
      Object passed = arguments[i] instanceof KvCache ? behind.cache : arguments[i];
      assertThat(behind.arguments[i]).as("argument %d", i).isEqualTo(passed);
    }
    switch (method.getName()) {
      case "description" -> assertThat(result).isEqualTo("behind, timed");
      case "kvCache" -> assertThat(((KvCache) result)).isNotSameAs(behind.cache);
      case "rowSampler" -> assertThat(((Optional<?>) result)).isPresent();
      default -> assertThat(result).isEqualTo(behind.answer(method));
    }
  }

  private static Object argument(Method method, Class<?> type, KvCache cache) {
    AttentionPlanner planner = new AttentionPlanner(16, 1, 1, 1, true);
    planner.begin();
    AttentionPlan plan = planner.finish();
    return switch (type.getSimpleName()) {
      case "int" -> 3;
      case "long" -> 5L;
      case "float" -> 0.5f;
      case "boolean" -> true;
      case "int[]" -> new int[] {1, 2};
      case "Object" -> "an owner";
      case "Runnable" -> stub(Runnable.class);
      case "Tensor" -> stub(Tensor.class);
      case "Matrix" -> stub(Matrix.class);
      case "KvCache" -> cache;
      case "KvLayout" -> LAYOUT;
      case "DType" -> DType.BF16;
      case "AttentionPlan" -> plan;
      case "StepInputs" -> new StepInputs(new int[1], new int[1], new int[1], 1, plan);
      case "RotaryTable" ->
          new RotaryTable(new float[1], new float[1], 1, 2, RotaryTable.Layout.SPLIT_HALVES);
      case "List" -> {
        RandomWeight weight = RandomWeight.named("output.weight", 2, 2, 1);
        yield List.of(method.getName().equals("matrix") ? weight.tensor() : weight);
      }
      default -> throw new AssertionError("an argument for " + type);
    };
  }

  @Test
  void aBackendWhoseCallsReturnEarlyIsRefusedAndClosed() {
    Behind behind = new Behind();
    OpTimes times = new OpTimes();
    assertThatThrownBy(() -> TimedBackendProvider.timed(behind.backend, times))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("behind")
        .hasMessageContaining("--backend cpu");
    assertThat(behind.asked).extracting(Method::getName).endsWith("close");
  }

  @Test
  void drawsAreTimed() {
    Behind behind = new Behind();
    OpTimes times = new OpTimes();
    RowSampler sampler = new TimedBackend(behind.backend, times).rowSampler(9).orElseThrow();
    behind.asked.clear();
    RowDraws draws = new RowDraws(9);
    sampler.start(stub(Tensor.class), draws);
    sampler.finish(draws);
    assertThat(behind.asked).extracting(Method::getName).containsExactly("start", "finish");
    assertThat(behind.arguments).containsExactly(draws);
    assertThat(times.seconds().get(OpTimes.Op.READ_LOGITS)).isPositive();
  }
}
