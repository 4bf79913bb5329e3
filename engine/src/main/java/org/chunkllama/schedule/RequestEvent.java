package org.chunkllama.schedule;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A request from submission to its end, for the flight recorder. Holds no text. */
@Name("org.chunkllama.Request")
@Label("Request")
@Category("ChunkLlama")
@Description("A request from submission to its end")
@StackTrace(false)
@Enabled
final class RequestEvent extends Event {
  @Label("Id")
  long id;

  @Label("Priority")
  int priority;

  @Label("Prompt tokens")
  int promptTokens;

  @Label("Cached tokens")
  int cachedTokens;

  @Label("Generated tokens")
  int generatedTokens;

  @Label("Time to first token")
  @Timespan(Timespan.NANOSECONDS)
  long ttftNanos;

  @Label("Outcome")
  @Description("done, cancelled, or the error's class")
  String outcome = "";
}
