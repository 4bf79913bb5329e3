package org.chunkllama.schedule;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A step, for the flight recorder. */
@Name("org.chunkllama.Step")
@Label("Engine step")
@Category("ChunkLlama")
@Description("One forward pass over the rows of all running requests")
@StackTrace(false)
@Enabled
final class StepEvent extends Event {
  @Label("Rows")
  int rows;

  @Label("Prompt rows")
  int promptRows;

  @Label("Running sequences")
  int running;

  @Label("Waiting prompts")
  int waiting;

  @Label("Shared chunks")
  int chunksShared;

  @Label("Plan")
  @Timespan(Timespan.NANOSECONDS)
  long planNanos;

  @Label("Model")
  @Timespan(Timespan.NANOSECONDS)
  long modelNanos;

  @Label("Gap")
  @Description("From the tokens of the step before to this forward pass")
  @Timespan(Timespan.NANOSECONDS)
  long gapNanos;

  @Label("Output")
  @Timespan(Timespan.NANOSECONDS)
  long outputNanos;
}
