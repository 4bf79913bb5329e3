package org.chunkllama.spi;

import java.util.List;

/**
 * What a backend offers whose attention has settings that suit one device and shape better than
 * another. They decide how fast it is, never what comes out.
 */
public interface TunableAttention {
  /**
   * A setting.
   *
   * @param name short
   * @param values worth trying, rising
   * @param value in use now
   */
  record Setting(String name, List<Double> values, double value) {}

  /** Where the values in use come from. */
  enum Origin {
    /** Measured on this kind of device, now or by an earlier start. */
    MEASURED,

    /** Shipped with the product, measured on a device of this architecture. */
    SHIPPED,

    /** Nothing was measured. */
    GUESSED
  }

  /** Where the values of {@link #settings} come from. */
  Origin origin(KvLayout layout, int queryHeads);

  /** All settings for caches of this layout (but its number of layers) and query heads. */
  List<Setting> settings(KvLayout layout, int queryHeads);

  /**
   * Takes other values for the shape, in the order of {@link #settings}. Plans made before are
   * still right, but for the costs of before.
   *
   * @throws IllegalArgumentException if a value is out of its setting's range
   */
  void set(KvLayout layout, int queryHeads, List<Double> values);

  /**
   * Keeps the values in use for later starts on this kind of device.
   *
   * @param note one line for those who read it
   * @return where
   */
  String keep(KvLayout layout, int queryHeads, String note);
}
