package org.chunkllama.spi;

/**
 * What a backend offers that can draw tokens where the logits are: the host gets a few words a row
 * instead of the rows. One thread drives it, as its backend.
 *
 * <p>A draw is defined by these steps, in this order, in single precision where nothing else is
 * said:
 *
 * <ol>
 *   <li>the row's biases are added; banned tokens become minus infinity; each penalised token
 *       {@code l} becomes {@code l > 0 ? l / repetition : l * repetition}, less {@code frequency *
 *       count + presence} if its count is above 0; tokens that a mask leaves out become minus
 *       infinity;
 *   <li>if {@code inverse} is 0 the token is the likeliest, the lowest id among equals. Otherwise
 *       tokens stay whose logit is finite and at least {@code largest + margin};
 *   <li>of these the {@code topK} likeliest, if topK is not 0; likelier is the lower id among
 *       equals;
 *   <li>of these the smallest set of the likeliest whose weights sum to at least {@code topP} of
 *       them all, if topP is below 1. A weight is {@code exp((logit - largest) * inverse)};
 *   <li>the token is the first, by rising id, at which the sum of the weights so far is greater
 *       than {@code uniform} times their sum.
 * </ol>
 *
 * <p>Log probabilities are those of the row as it is, before the first step, at temperature 1.
 */
public interface RowSampler {
  /**
   * Begins the draws, behind all work that is queued; does not wait for the device.
   *
   * @param logits whose rows {@code draws} names
   * @param draws must stay as they are until {@link #finish}
   * @throws IllegalArgumentException if a row is not there or the vocabularies differ
   * @throws org.chunkllama.error.DeviceException if the device's memory is too small for it
   */
  void start(Tensor logits, RowDraws draws);

  /**
   * Waits for the draws that were begun last.
   *
   * @param draws gets the tokens. A draw whose largest logit is NaN or infinite, before or, where
   *     log probabilities are wanted, without the first step, gets {@link RowDraws#BROKEN}
   */
  void finish(RowDraws draws);
}
