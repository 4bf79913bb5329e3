package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {
  @TempDir Path folder;

  /** Another process: takes the lock, says so, and holds it until it is killed. */
  public static void main(String[] arguments) throws InterruptedException {
    try (FolderLock _ = FolderLock.acquire(Path.of(arguments[0]), Progress.NONE)) {
      System.out.println("locked");
      Thread.sleep(60_000);
    }
  }

  @Test
  void waitsForAnotherProcessAndOutlivesIt() throws IOException, InterruptedException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process holder =
        new ProcessBuilder(
                java.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                FolderLockTest.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (BufferedReader out = holder.inputReader()) {
      assertThat(out.readLine()).isEqualTo("locked");
      List<String> notes = new CopyOnWriteArrayList<>();
      Thread waiter = Thread.ofPlatform().start(() -> takeAndRelease(notes));
      waiter.join(500);
      assertThat(waiter.isAlive()).isTrue();
      assertThat(notes).singleElement().asString().contains("another process");
      holder.destroyForcibly().waitFor();
      waiter.join(10_000);
      assertThat(waiter.isAlive()).isFalse();
    } finally {
      holder.destroyForcibly();
    }
  }

  private void takeAndRelease(List<String> notes) {
    try (FolderLock _ = FolderLock.acquire(folder, new RealModelsTest.NoteTaker(notes))) {
      assertThat(folder.resolve(".lock")).exists();
    }
  }
}
