package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/**
 * A device (a GPU) failed in a way that this process cannot get over: every later call would fail
 * as well. The engine stops; a new process may find the device sound.
 */
public final class DeviceLostException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** {@code why}, in one clause without an end. */
  public DeviceLostException(String why, @Nullable Throwable cause) {
    super("the device is lost to this process, start it again: " + why, cause);
  }
}
