package org.chunkllama;

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
 * The borders between the engine's packages. A new arrow is added here, on purpose, or not at all.
 */
class ArchitectureTest {
  private static final String ROOT = "org.chunkllama";

  /** Package by package, what it may use; the root package may use all. */
  private static final Map<String, Set<String>> ALLOWED =
      Map.ofEntries(
          Map.entry("error", Set.of()),
          Map.entry("plan", Set.of()),
          Map.entry("spi", Set.of("plan", "error")),
          Map.entry("reference", Set.of("spi", "plan")),
          Map.entry("model", Set.of("spi", "plan", "error")),
          Map.entry("text", Set.of("text.jinja", "error")),
          Map.entry("text.jinja", Set.of("error")),
          Map.entry("prefix", Set.of("error")),
          Map.entry("guide", Set.of("text", "error")),
          Map.entry("sample", Set.of("guide", "spi", "error")),
          Map.entry("files", Set.of("model", "text", "spi", "error")),
          Map.entry("tune", Set.of("files", "plan", "spi")),
          Map.entry(
              "schedule",
              Set.of("prefix", "plan", "model", "guide", "sample", "text", "spi", "error")));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  /** {@code spi} for org.chunkllama.spi; empty for the root package. */
  private static String name(JavaClass type) {
    String name = type.getPackageName();
    return name.equals(ROOT) ? "" : name.substring(ROOT.length() + 1);
  }

  @Test
  void packagesUseOnlyWhatTheyMay() {
    Set<String> arrows = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      type.getDirectDependenciesFromSelf().stream()
          .map(dependency -> dependency.getTargetClass().getBaseComponentType())
          .filter(target -> target.getPackageName().startsWith(ROOT))
          .filter(target -> !isAllowed(name(type), name(target)))
          .forEach(target -> arrows.add(type.getName() + " uses " + target.getName()));
    }
    assertThat(arrows).isEmpty();
  }

  private static boolean isAllowed(String from, String to) {
    if (from.equals(to) || from.isEmpty()) {
      return true;
    }
    Set<String> allowed = ALLOWED.get(from);
    return allowed != null && allowed.contains(to);
  }

  @Test
  void everyPackageIsListed() {
    Set<String> present =
        CLASSES.stream()
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
  void backendsAreFoundAsServicesOnly() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".reference")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + ".reference")
        .check(CLASSES);
  }

  @Test
  void noHardwareAndNoHttpServer() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jdk.incubator.vector..", "com.sun.net.httpserver..")
        .check(CLASSES);
  }

  @Test
  void nothingIsPrinted() {
    NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(CLASSES);
  }
}
