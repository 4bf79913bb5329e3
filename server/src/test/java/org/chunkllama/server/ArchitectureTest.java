package org.chunkllama.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The borders of the server: nothing below points at it, and its packages have an order. A new
 * arrow is added here, on purpose, or not at all.
 */
class ArchitectureTest {
  private static final String ROOT = "org.chunkllama.server";

  /** Package by package, what it may use; the root package may use all. */
  private static final Map<String, Set<String>> ALLOWED =
      Map.of(
          "net", Set.of(),
          "tenant", Set.of(),
          "http", Set.of("net", "tenant"),
          "metrics", Set.of("http"),
          "generate", Set.of("http", "metrics"),
          "cache", Set.of("http", "tenant"),
          "openai", Set.of("http", "tenant", "generate", "cache"),
          "responses", Set.of("http", "generate", "openai"),
          "anthropic", Set.of("http", "generate", "cache", "openai"));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("org.chunkllama");

  private static String name(JavaClass type) {
    String name = type.getPackageName();
    return name.equals(ROOT) ? "" : name.substring(ROOT.length() + 1);
  }

  @Test
  void packagesUseOnlyWhatTheyMay() {
    Set<String> arrows = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      if (type.getPackageName().startsWith(ROOT)) {
        type.getDirectDependenciesFromSelf().stream()
            .map(dependency -> dependency.getTargetClass().getBaseComponentType())
            .filter(target -> target.getPackageName().startsWith(ROOT))
            .filter(target -> !isAllowed(name(type), name(target)))
            .forEach(target -> arrows.add(type.getName() + " uses " + target.getName()));
      }
    }
    assertThat(arrows).isEmpty();
  }

  private static boolean isAllowed(String from, String to) {
    return from.equals(to) || from.isEmpty() || ALLOWED.getOrDefault(from, Set.of()).contains(to);
  }

  @Test
  void everyPackageIsListed() {
    Set<String> present =
        CLASSES.stream()
            .filter(type -> type.getPackageName().startsWith(ROOT))
            .map(ArchitectureTest::name)
            .filter(name -> !name.isEmpty())
            .collect(Collectors.toSet());
    assertThat(present).isEqualTo(ALLOWED.keySet());
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void nothingBelowPointsAtTheServer() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + "..")
        .check(CLASSES);
  }

  @Test
  void theServerKnowsNoBackendAndNoEngineRoom() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "org.chunkllama.cpu..",
            "org.chunkllama.schedule..",
            "org.chunkllama.bench..",
            "org.chunkllama.cli..")
        .check(CLASSES);
  }

  @Test
  void nothingIsPrinted() {
    NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(CLASSES);
  }
}
