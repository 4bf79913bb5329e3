package org.chunkllama.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** Lines that someone types. */
interface ChatInput extends AutoCloseable {
  /** The next line; null at the end of the input. A line given up with Ctrl-C is empty. */
  @Nullable String readLine(String prompt) throws IOException;

  /** Runs {@code action} whenever Ctrl-C is typed outside {@link #readLine}. */
  void onInterrupt(Runnable action);

  @Override
  void close() throws IOException;

  /** Line editing and history on a terminal, plain lines elsewhere. */
  static ChatInput open(Console console) throws IOException {
    return console.interactive() ? new Edited() : new Plain(console);
  }

  /** A terminal with line editing. */
  final class Edited implements ChatInput {
    private final Terminal terminal;
    private final LineReader reader;

    Edited() throws IOException {
      // The provider that calls stty: the others load native code.
      terminal = TerminalBuilder.builder().system(true).provider("exec").build();
      reader =
          LineReaderBuilder.builder()
              .terminal(terminal)
              .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
              .build();
    }

    @Override
    public @Nullable String readLine(String prompt) {
      try {
        return reader.readLine(prompt);
      } catch (UserInterruptException _) {
        return "";
      } catch (EndOfFileException _) {
        return null;
      }
    }

    @Override
    public void onInterrupt(Runnable action) {
      terminal.handle(Signal.INT, _ -> action.run());
    }

    @Override
    public void close() throws IOException {
      terminal.close();
    }
  }

  /** A pipe or a file. */
  final class Plain implements ChatInput {
    private final BufferedReader reader;

    Plain(Console console) {
      reader = new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8));
    }

    @Override
    public @Nullable String readLine(String prompt) throws IOException {
      return reader.readLine();
    }

    @Override
    public void onInterrupt(Runnable action) {
      // Ctrl-C ends a command that nobody types into.
    }

    @Override
    public void close() {
      // Standard input is not ours to close.
    }
  }
}
