package org.chunkllama.text.jinja;

import java.util.List;

/**
 * What keys(), values() and items() of a dict give: it can be counted and iterated, not indexed.
 *
 * @param kind {@code dict_keys}, {@code dict_values} or {@code dict_items}
 */
record DictView(String kind, List<Object> items) {}
