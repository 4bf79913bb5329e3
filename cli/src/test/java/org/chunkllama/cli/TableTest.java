package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void padsColumns() {
    Table table = new Table("name", "n");
    table.row("a", "1,000");
    table.row("longer", "2");
    assertThat(table.text())
        .isEqualTo(
            """
            | name   |     n |
            |--------|------:|
            | a      | 1,000 |
            | longer |     2 |
            """);
  }
}
