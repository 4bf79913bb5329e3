package org.chunkllama.server.http;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request that is answered with an error; the message is one line for its author. */
public final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Kinds of errors: an HTTP status and what the APIs call it. */
  public enum Kind {
    INVALID(400, "invalid_request_error", "invalid_request_error"),
    UNAUTHENTICATED(401, "invalid_request_error", "authentication_error"),
    NOT_FOUND(404, "invalid_request_error", "not_found_error"),
    METHOD(405, "invalid_request_error", "invalid_request_error"),
    TOO_LARGE(413, "invalid_request_error", "request_too_large"),
    BUSY(429, "rate_limit_error", "rate_limit_error"),
    INTERNAL(500, "server_error", "api_error"),
    UNAVAILABLE(503, "server_error", "overloaded_error"),
    DEADLINE(504, "timeout_error", "api_error");

    private final int status;
    private final String openAiType;
    private final String anthropicType;

    Kind(int status, String openAiType, String anthropicType) {
      this.status = status;
      this.openAiType = openAiType;
      this.anthropicType = anthropicType;
    }

    public int status() {
      return status;
    }

    public String openAiType() {
      return openAiType;
    }

    public String anthropicType() {
      return anthropicType;
    }
  }

  private final Kind kind;
  private final @Nullable String param;
  private final @Nullable String code;
  private final @Nullable Duration retryAfter;

  private ApiException(
      Kind kind,
      String message,
      @Nullable String param,
      @Nullable String code,
      @Nullable Duration retryAfter,
      @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.param = param;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** A field that is wrong. */
  public static ApiException invalid(String param, String message) {
    return new ApiException(Kind.INVALID, message, param, null, null, null);
  }

  /** A request that is wrong as a whole. */
  public static ApiException badRequest(String message, @Nullable Throwable cause) {
    return new ApiException(Kind.INVALID, message, null, null, null, cause);
  }

  public static ApiException of(Kind kind, @Nullable String code, String message) {
    return new ApiException(kind, message, null, code, null, null);
  }

  public static ApiException of(
      Kind kind, @Nullable String code, String message, @Nullable Throwable cause) {
    return new ApiException(kind, message, null, code, null, cause);
  }

  /** An error that passes: try again after {@code wait}. */
  public static ApiException retry(Kind kind, String code, String message, Duration wait) {
    return new ApiException(kind, message, null, code, wait, null);
  }

  public Kind kind() {
    return kind;
  }

  public int status() {
    return kind.status();
  }

  public String message() {
    return String.valueOf(getMessage());
  }

  /** The field at fault. */
  public Optional<String> param() {
    return Optional.ofNullable(param);
  }

  /** A name for programs. */
  public Optional<String> code() {
    return Optional.ofNullable(code);
  }

  /** How long to wait before trying again. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
