package org.chunkllama.text.jinja;

import java.util.Iterator;
import java.util.List;

/** What filters such as map and select give: it can be iterated once, not counted or indexed. */
record Generator(Iterator<Object> items) {
  Generator(List<Object> items) {
    this(items.iterator());
  }
}
