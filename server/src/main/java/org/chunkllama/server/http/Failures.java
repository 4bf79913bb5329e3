package org.chunkllama.server.http;

import java.time.Duration;
import org.chunkllama.error.ContextLengthException;
import org.chunkllama.error.DeadlineException;
import org.chunkllama.error.DeviceException;
import org.chunkllama.error.DeviceLostException;
import org.chunkllama.error.DownloadException;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.error.QueueFullException;
import org.chunkllama.error.ShuttingDownException;
import org.chunkllama.error.TemplateException;
import org.chunkllama.error.TenantLimitException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.server.http.ApiException.Kind;

/** What clients are told of exceptions. */
public final class Failures {
  private static final System.Logger LOG = System.getLogger(Failures.class.getName());

  private Failures() {}

  /** The answer to a failed request. What is not the client's doing is logged under {@code id}. */
  public static ApiException of(Throwable error, String id) {
    return switch (error) {
      case ApiException e -> e;
      case ContextLengthException e ->
          ApiException.of(Kind.INVALID, "context_length_exceeded", text(e), e);
      case InvalidRequestException e -> ApiException.badRequest(text(e), e);
      case TemplateException e -> ApiException.badRequest(text(e), e);
      case UnsupportedModelException e -> ApiException.badRequest(text(e), e);
      case PoolExhaustedException e ->
          ApiException.retry(
              Kind.UNAVAILABLE, "kv_memory_exhausted", text(e), Duration.ofSeconds(1));
      case QueueFullException e ->
          ApiException.retry(Kind.BUSY, "queue_full", text(e), Duration.ofSeconds(1));
      case TenantLimitException e ->
          ApiException.retry(Kind.BUSY, "tenant_limit", text(e), Duration.ofSeconds(1));
      case ShuttingDownException e ->
          ApiException.retry(Kind.UNAVAILABLE, "draining", text(e), Duration.ofSeconds(5));
      case DeadlineException e -> ApiException.of(Kind.DEADLINE, "deadline_exceeded", text(e), e);
      // The engine has logged it, once.
      case DeviceLostException e -> ApiException.of(Kind.UNAVAILABLE, "engine_down", text(e), e);
      case DeviceException e -> {
        LOG.log(System.Logger.Level.ERROR, "request " + id + " failed", e);
        yield ApiException.of(Kind.INTERNAL, "device_failed", text(e), e);
      }
      case ModelFileException e -> internal(e, id);
      case DownloadException e -> internal(e, id);
      default -> internal(error, id);
    };
  }

  private static ApiException internal(Throwable error, String id) {
    LOG.log(System.Logger.Level.ERROR, "request " + id + " failed", error);
    return ApiException.of(
        Kind.INTERNAL, null, "internal error; the server's log has it under request " + id, error);
  }

  private static String text(Throwable error) {
    return String.valueOf(error.getMessage());
  }
}
